import { afterEach, describe, expect, it } from "vitest";
import { generateWith, messageOf, post, prompted } from "./client-for-tests.ts";
import { faults } from "./faults/table.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "./simulator.ts";

const running: Simulator[] = [];

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  running.push(simulator);
  return simulator;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.stop()));
});

const model = "gemini-3-pro-image";
const admin = async (simulator: Simulator, method: string, path: string): Promise<unknown> =>
  (await fetch(`${simulator.url}/__sim/${path}`, { method })).json();

describe("a simulator", () => {
  it("listens on loopback, on a free port unless told", async () => {
    const simulator = await start();
    expect(simulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await admin(simulator, "GET", "health")).toEqual({ ok: true });
    const port = Number(new URL(simulator.url).port);
    await expect(startSimulator({ port })).rejects.toThrow(`Cannot listen on port ${port} of "127.0.0.1"`);
  });

  it("stops at once, whatever is under way", async () => {
    const simulator = await start();
    const hanging = generateWith(simulator.url, model, prompted("[[sim:HANG]]"));
    const slow = generateWith(simulator.url, model, prompted("[[sim:SLOW:60000]]"));
    const broken = Promise.allSettled([hanging, slow]);
    await expect.poll(() => simulator.ledger().calls.length, { timeout: 4000 }).toBe(2);
    await simulator.stop();
    expect((await broken).map((result) => result.status)).toEqual(["rejected", "rejected"]);
    await expect(fetch(simulator.url)).rejects.toThrow("fetch failed");
  });

  it("accepts only the keys it was given", async () => {
    const simulator = await start({ keys: ["secret"] });
    const path = `/v1beta/models/${model}:countTokens`;
    expect((await post(simulator.url, path, {})).status).toBe(400);
    expect((await post(simulator.url, path, {}, { "x-goog-api-key": "secret" })).status).toBe(200);
  });

  it("repeats ids and signatures with its seed, and differs with another", async () => {
    const answers = [];
    for (const seed of [5, 5, 6]) {
      const simulator = await start({ seed });
      answers.push((await generateWith(simulator.url, model, prompted("A fox"))).text);
    }
    expect(answers[1]).toBe(answers[0]);
    expect(answers[2]).not.toBe(answers[0]);
  });

  it("lists its faults, takes them over HTTP, and forgets them", async () => {
    const simulator = await start();
    const table = await admin(simulator, "GET", "faults");
    expect(table).toMatchObject({
      faults: expect.arrayContaining([
        {
          name: "RATE_LIMIT",
          kind: "error",
          billed: false,
          what: expect.any(String),
          argument: expect.any(String),
        },
      ]),
      queued: [],
    });
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
    const fault = { fault: "OVERLOADED", times: 2, match: { model } };
    expect((await post(simulator.url, "/__sim/faults", fault)).json()).toEqual({ queued: [fault] });
    expect((await generateWith(simulator.url, model, prompted("x"))).status).toBe(503);
    await admin(simulator, "DELETE", "faults");
    expect((await generateWith(simulator.url, model, prompted("x"))).status).toBe(200);
  });

  it.each([
    ["/__sim/faults", { fault: "NOPE" }, 'Unknown simulator fault "NOPE"'],
    ["/__sim/faults", { fault: "OTHER", count: 1 }, "count"],
    ["/__sim/profile", { rates: { NOPE: 0.1 } }, 'Unknown simulator fault "NOPE"'],
    ["/__sim/profile", { rates: { OTHER: 2 } }, "rates.OTHER"],
  ])("refuses nonsense at %s", async (path, body, message) => {
    const simulator = await start();
    const reply = await post(simulator.url, path, body);
    expect(reply.status).toBe(400);
    expect(messageOf(reply.json())).toContain(message);
  });

  it("applies a profile, from the start or over HTTP, until it is reset", async () => {
    const simulator = await start({ profile: { rates: { OVERLOADED: 1 } } });
    const status = async () => (await generateWith(simulator.url, model, prompted("x"))).status;
    expect(await status()).toBe(503);
    await post(simulator.url, "/__sim/profile", {
      seed: 3,
      rates: { INTERNAL: 1 },
      latency: { medianMs: 1, sigma: 0 },
    });
    expect(await status()).toBe(500);
    simulator.reset();
    expect(await status()).toBe(503);
  });

  it("shows and clears its ledger over HTTP", async () => {
    const simulator = await start();
    simulator.addFault({ fault: "NO_IMAGE" });
    await generateWith(simulator.url, model, prompted("x"));
    expect(await admin(simulator, "GET", "ledger")).toEqual(simulator.ledger());
    expect(simulator.ledger().calls[0]).toMatchObject({ fault: "NO_IMAGE", finishReason: "NO_IMAGE" });
    await admin(simulator, "DELETE", "ledger");
    expect(simulator.ledger().totals).toEqual({ calls: 0, billed: 0, images: 0 });
  });
});
