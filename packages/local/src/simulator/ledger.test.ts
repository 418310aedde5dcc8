import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generateWith, imagePart, prompted } from "./client-for-tests.ts";
import { sha256 } from "./random.ts";
import { type Simulator, startSimulator } from "./simulator.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());
beforeEach(() => simulator.reset());

const model = "gemini-nano-banana-2.1";

/** Other work may be going on on the machine. */
const patience = { timeout: 4000, interval: 20 };

describe("the ledger", () => {
  it("records what was asked, by whom and what it cost, but neither key nor whole prompt", async () => {
    const prompt = `A fox ${"and another ".repeat(20)}`;
    const config = { responseModalities: ["IMAGE"], imageConfig: { aspectRatio: "4:3", imageSize: "1K" } };
    await generateWith(simulator.url, model, prompted(prompt, config, [await imagePart()]));
    const { calls, totals } = simulator.ledger();
    const time = expect.stringMatching(/^2\d{3}-.*Z$/);
    expect(calls).toEqual([
      {
        id: "call-1",
        at: time,
        startedAt: time,
        finishedAt: time,
        model,
        keySha256: sha256("test-key"),
        promptSha256: sha256(prompt),
        prompt: prompt.slice(0, 80),
        inputImages: 1,
        aspectRatio: "4:3",
        imageSize: "1K",
        stream: false,
        batch: null,
        fault: null,
        status: 200,
        finishReason: "STOP",
        billed: true,
        images: 1,
        usage: expect.objectContaining({ promptTokenCount: 62 + 258 }),
        costTokens: {
          inputText: 62,
          inputImage: 258,
          outputText: 0,
          outputImage: 1120,
          thinking: expect.any(Number),
        },
        clientLeft: false,
      },
    ]);
    expect(totals).toEqual({ calls: 1, billed: 1, images: 1 });
  });

  it("has the call from its arrival, and finishes and bills it after the client has left", async () => {
    const abort = new AbortController();
    const pending = fetch(`${simulator.url}/v1beta/models/${model}:generateContent`, {
      method: "POST",
      headers: { "x-goog-api-key": "k" },
      body: JSON.stringify(prompted("A fox [[sim:SLOW:800]]")),
      signal: abort.signal,
    });
    await expect.poll(() => simulator.ledger().calls[0]?.startedAt, patience).toEqual(expect.any(String));
    expect(simulator.ledger().calls[0]).toMatchObject({ billed: false, finishedAt: null, status: null });
    abort.abort();
    await expect(pending).rejects.toThrow("aborted");
    await expect.poll(() => simulator.ledger().calls[0]?.clientLeft, patience).toBe(true);
    expect(simulator.ledger().calls[0]?.finishedAt).toBeNull();
    await expect.poll(() => simulator.ledger().calls[0]?.finishedAt, patience).toEqual(expect.any(String));
    expect(simulator.ledger().calls[0]).toMatchObject({ billed: true, images: 1, clientLeft: true });
  });

  it("gives copies that later calls leave alone", async () => {
    const before = simulator.ledger();
    await generateWith(simulator.url, model, prompted("[[sim:INTERNAL]]"));
    expect(before.calls).toEqual([]);
  });
});
