import { setTimeout as sleep } from "node:timers/promises";
import { GoogleGenAI } from "@google/genai/web";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generateWith, post, prompted, replyOf } from "../client-for-tests.ts";
import { type Simulator, startSimulator } from "../simulator.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());
beforeEach(() => simulator.reset());

const model = "gemini-3-pro-image";
const strike = (marker: string) => generateWith(simulator.url, model, prompted(`A fox [[sim:${marker}]]`));
/** Whether the server blames the client, once it has had the time to see the connection end. */
const clientLeft = async () => {
  await sleep(50);
  return lastCall()?.clientLeft;
};
/** Other work may be going on on the machine. */
const patience = { timeout: 4000, interval: 20 };
const lastCall = () => simulator.ledger().calls.at(-1);

function stream(marker: string) {
  const ai = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: simulator.url } });
  return ai.models.generateContentStream({ model, contents: `A fox [[sim:${marker}]]` });
}

async function finishReasons(marker: string): Promise<unknown[]> {
  const reasons: unknown[] = [];
  for await (const chunk of await stream(marker)) reasons.push(chunk.candidates?.[0]?.finishReason);
  return reasons.filter((reason) => reason !== undefined);
}

describe("a disturbed connection", () => {
  it("SLOW keeps the first byte back", async () => {
    const started = performance.now();
    expect((await strike("SLOW:120")).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(115);
    expect(lastCall()).toMatchObject({ fault: "SLOW", billed: true, images: 1 });
  });

  it("SLOW delays an error as well", async () => {
    const started = performance.now();
    expect((await strike("SLOW:120]] [[sim:OVERLOADED")).status).toBe(503);
    expect(performance.now() - started).toBeGreaterThan(115);
    expect(lastCall()?.fault).toBe("OVERLOADED+SLOW");
  });

  it("DRIP lets the body trickle, whole in the end", async () => {
    const response = await fetch(`${simulator.url}/v1beta/models/${model}:generateContent`, {
      method: "POST",
      headers: { "x-goog-api-key": "k" },
      body: JSON.stringify(prompted("[[sim:DRIP:200]]")),
    });
    const started = performance.now();
    expect(replyOf(await response.json()).images).toHaveLength(1);
    expect(performance.now() - started).toBeGreaterThan(120);
  });

  it("HANG gives no byte, then a reset, and is billed before the client knows", async () => {
    const broken = expect(strike("HANG:600")).rejects.toThrow("fetch failed");
    await expect.poll(() => lastCall()?.billed, patience).toBe(true);
    expect(lastCall()).toMatchObject({ status: null, clientLeft: false, images: 1 });
    await broken;
    expect(await clientLeft()).toBe(false);
  });

  it("RESET breaks before headers and is not billed", async () => {
    await expect(strike("RESET")).rejects.toThrow("fetch failed");
    expect(lastCall()).toMatchObject({ billed: false, images: 0, status: null });
    expect(await clientLeft()).toBe(false);
  });

  it("RESET_BODY breaks in the middle of a 200 and is billed", async () => {
    await expect(strike("RESET_BODY")).rejects.toThrow("terminated");
    expect(lastCall()).toMatchObject({ billed: true, images: 1, status: 200 });
    expect(await clientLeft()).toBe(false);
  });

  it("TRUNCATED ends in the middle of the JSON and is billed", async () => {
    const reply = await strike("TRUNCATED");
    expect(reply.status).toBe(200);
    expect(() => reply.json()).toThrow(SyntaxError);
    expect(lastCall()).toMatchObject({ billed: true, images: 1 });
  });

  it("TRUNCATED ends a stream cleanly without a finish reason", async () => {
    expect(await finishReasons("TRUNCATED")).toEqual([]);
    expect(await finishReasons("SLOW:1")).toEqual(["STOP"]);
  });

  it("TRUNCATED_ERROR is a 500 whose JSON breaks off", async () => {
    const reply = await strike("TRUNCATED_ERROR");
    expect(reply.status).toBe(500);
    expect(() => reply.json()).toThrow(SyntaxError);
    expect(lastCall()).toMatchObject({ billed: false, status: 500 });
  });

  it("STREAM_ERROR turns a stream into a 503 midway, and is a plain 503 elsewhere", async () => {
    await expect(finishReasons("STREAM_ERROR")).rejects.toThrow("got status: UNAVAILABLE");
    expect((await strike("STREAM_ERROR")).status).toBe(503);
    const path = `/v1beta/models/${model}:streamGenerateContent`;
    const reply = await post(simulator.url, path, prompted("[[sim:STREAM_ERROR]]"));
    expect(reply.json()).toMatchObject([{ candidates: [{}] }, { error: { code: 503 } }]);
  });
});
