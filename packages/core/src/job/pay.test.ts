import { type ManualClock, manualClock, seededRandom } from "@plantain/memory/clock";
import { hanging, scriptedModel } from "@plantain/memory/model";
import { memoryObjects } from "@plantain/memory/objects";
import {
  sampleAnswer,
  sampleImage,
  sampleRegistry,
  sampleRequest,
  sampleRunning,
} from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { noUsage } from "../model/pricing.ts";
import { type Call, unknownCall } from "./attempt.ts";
import type { Failure } from "./failure.ts";
import { callFor } from "./gather.ts";
import type { RunningJob } from "./job.ts";
import { imageKey, outcomeKey, partKey } from "./keys.ts";
import { Outcome } from "./outcome.ts";
import { pay } from "./pay.ts";
import type { Answer, Objects } from "./ports.ts";

const pro = sampleRegistry.choose("nano-banana-pro").model;
const index = 2;
const turn = { prompt: "Before", images: [], reply: [] };
const failing = (about: Partial<Failure>, usage = sampleAnswer().usage): Answer => ({
  type: "failure",
  failure: { code: "overloaded", message: "Busy", billed: "no", ...about },
  usage,
});

/** Pays for one image of a job; `told` is what was heard of its bill, with what was stored by then. */
function paying(
  step: Parameters<typeof scriptedModel>[0],
  about: {
    job?: RunningJob;
    historyUnused?: string;
    hasHistory?: boolean;
    cannotStore?: boolean;
    clock?: ManualClock;
  } = {},
) {
  const { job = sampleRunning(), historyUnused = null, clock = manualClock() } = about;
  const memory = memoryObjects();
  const stored: string[] = [];
  const objects: Objects = {
    ...memory,
    put: async (key, ...rest) => {
      if (about.cannotStore) throw new Error("Slow down");
      await memory.put(key, ...rest);
      stored.push(key);
      await clock.advance(10);
    },
  };
  const begun: Call[] = [];
  const told: { call: Call; stored: number }[] = [];
  const aborter = new AbortController();
  const ports = { objects, model: scriptedModel(step), clock, random: seededRandom() };
  const material = { images: [], fetched: [], history: about.hasHistory ? [turn] : [], historyUnused };
  const paid = pay(
    ports,
    job,
    pro,
    callFor(job, "key", sampleRequest(), material, index),
    { index, fetched: [], historyUnused },
    240_000,
    aborter.signal,
    (call) => {
      if (call.answeredAt === null) begun.push(call);
      else told.push({ call, stored: stored.length });
    },
  );
  const readOutcome = async () => {
    const bytes = await memory.get(outcomeKey(job, job.fence, index));
    return bytes && Outcome.parse(JSON.parse(new TextDecoder().decode(bytes)));
  };
  return { paid, job, clock, stored, begun, told, aborter, memory, readOutcome };
}

describe("a picture that is paid for", () => {
  it("is told with its bill before anything is stored", async () => {
    const { paid, told } = paying(sampleAnswer());
    const { call } = await paid;
    expect(told).toEqual([{ call: { ...call, storedAt: null }, stored: 0 }]);
    expect(call).toMatchObject({
      index,
      billed: "yes",
      usage: sampleAnswer().usage,
      cost: 136_810_000,
      upstream: { status: 200, finishReason: "STOP" },
      failure: null,
    });
  });

  it("is told as soon as its call begins", async () => {
    const { begun, clock } = paying(() => new Promise(() => undefined));
    expect(begun).toEqual([{ ...unknownCall(index), startedAt: clock.now() }]);
  });

  it("has the times of its call and of its storing", async () => {
    const clock = manualClock();
    const slow = async () => {
      await clock.advance(5_000);
      return sampleAnswer();
    };
    const { paid } = paying(slow, { clock });
    const start = clock.now();
    expect((await paid).call).toMatchObject({
      startedAt: start,
      answeredAt: start + 5_000,
      storedAt: start + 5_020,
    });
  });

  it("lies in the store with its outcome, the outcome first", async () => {
    const { paid, job, stored, memory, readOutcome } = paying(sampleAnswer("drawn"));
    const { outcome, failure } = await paid;
    const key = imageKey(job, 1, index);
    expect(failure).toBeNull();
    expect(stored).toEqual([outcomeKey(job, 1, index), key]);
    expect(await memory.get(key)).toEqual(new TextEncoder().encode("drawn"));
    const { sha256, size } = sampleImage("drawn");
    expect(outcome).toEqual({
      type: "image",
      image: {
        index,
        fence: 1,
        key,
        mediaType: "image/png",
        width: 1024,
        height: 1024,
        bytes: size,
        sha256,
        usedHistory: true,
      },
      text: null,
      grounding: null,
      upstream: { status: 200, finishReason: "STOP" },
      parts: [{ type: "image", key, mediaType: "image/png", signature: "signature of drawn" }],
      fetched: [],
      historyUnused: null,
      usage: sampleAnswer().usage,
      cost: 136_810_000,
    });
    expect(await readOutcome()).toEqual(outcome);
  });

  it("has its earlier pictures stored beside its outcome, before itself, and every part in its place", async () => {
    const earlier = sampleImage("sketch");
    const last = sampleImage("drawn");
    const { paid, job, stored, readOutcome } = paying({
      ...sampleAnswer(),
      image: last,
      parts: [
        { type: "text", text: "First a sketch", signature: null },
        { type: "image", image: earlier, signature: "s" },
        { type: "image", image: last, signature: null },
      ],
    });
    const { outcome } = await paid;
    expect(stored).toEqual([outcomeKey(job, 1, index), partKey(job, 1, index, 1), imageKey(job, 1, index)]);
    expect(outcome).toHaveProperty("parts", [
      { type: "text", text: "First a sketch", signature: null },
      { type: "image", key: partKey(job, 1, index, 1), mediaType: "image/png", signature: "s" },
      { type: "image", key: imageKey(job, 1, index), mediaType: "image/png", signature: null },
    ]);
    expect(await readOutcome()).toEqual(outcome);
  });

  it("says why the turns before were left out", async () => {
    const { paid } = paying(sampleAnswer(), { historyUnused: "they are gone" });
    expect((await paid).outcome).toMatchObject({
      historyUnused: "they are gone",
      image: { usedHistory: false },
    });
  });

  it("has no known cost where Gemini tells no usage", async () => {
    const { paid } = paying({ ...sampleAnswer(), usage: null });
    expect((await paid).call).toMatchObject({ billed: "yes", usage: null, cost: null });
  });
});

describe("a failure", () => {
  it("that may pass is told, and not stored", async () => {
    const { paid, stored, told } = paying(failing({ upstream: { status: 503 } }));
    const { call, outcome, failure } = await paid;
    expect({ outcome, failure }).toMatchObject({ outcome: null, failure: { code: "overloaded" } });
    expect(call).toMatchObject({ failure, upstream: { status: 503 }, storedAt: null });
    expect(told).toEqual([{ call, stored: 0 }]);
    expect(stored).toEqual([]);
  });

  it("that is final is stored as a refusal, so that nobody pays for it again", async () => {
    const words = failing({ code: "text_only", billed: "yes" });
    const job = sampleRunning({ spent: { text_only: 1 } });
    const { paid, stored, clock, readOutcome } = paying(words, { job });
    const { call, outcome, failure } = await paid;
    expect(outcome).toEqual({
      type: "refused",
      index,
      failure,
      usage: sampleAnswer().usage,
      cost: 136_810_000,
    });
    expect(await readOutcome()).toEqual(outcome);
    expect(stored).toHaveLength(1);
    expect(call).toMatchObject({ billed: "yes", cost: 136_810_000, storedAt: clock.now() });
    const again = paying(words);
    expect((await again.paid).outcome, "it has a retry left").toBeNull();
  });

  it("costs what Google says that it does, nothing, or nobody knows what", async () => {
    const bill = async (about: Partial<Failure>) => (await paying(failing(about)).paid).call;
    const { usage } = sampleAnswer();
    expect(await bill({ billed: "yes" })).toMatchObject({ billed: "yes", usage, cost: 136_810_000 });
    expect(await bill({ billed: "no" })).toMatchObject({ billed: "no", usage: noUsage, cost: 0 });
    expect(await bill({ billed: "unknown" })).toMatchObject({ billed: "unknown", usage, cost: null });
    expect((await bill({})).upstream).toBeNull();
  });

  it("of a request that is too large is blamed on the turns before, where some were sent", async () => {
    const code = async (about: Partial<Failure>, hasHistory: boolean) =>
      (await paying(failing(about), { hasHistory }).paid).failure;
    expect(await code({ code: "too_large", message: "20 MB" }, true)).toMatchObject({
      code: "history_rejected",
      message: "20 MB",
    });
    expect(await code({ code: "too_large" }, false)).toMatchObject({ code: "too_large" });
    expect(await code({ code: "timeout" }, true)).toMatchObject({ code: "timeout" });
    expect((await paying(sampleAnswer(), { hasHistory: true }).paid).failure).toBeNull();
  });
});

describe("a call that takes too long", () => {
  it("is given up, and nobody knows what it costs", async () => {
    const { paid, clock } = paying(hanging);
    const start = clock.now();
    await clock.advance(240_000);
    expect(await paid).toMatchObject({
      outcome: null,
      failure: { code: "timeout", message: "Gemini didn't answer within 240 s", billed: "unknown" },
      call: { billed: "unknown", usage: null, cost: null, startedAt: start, answeredAt: start + 240_000 },
    });
  });

  it("is looked out for only until the answer comes", async () => {
    const clock = manualClock();
    let looking = 0;
    const sleep: ManualClock["sleep"] = async (ms, signal) => {
      looking += 1;
      await clock.sleep(ms, signal);
      looking -= 1;
    };
    await paying(sampleAnswer(), { clock: { ...clock, sleep } }).paid;
    expect(looking).toBe(0);
  });

  it("is one up to then", async () => {
    let isOver = false;
    const { paid, clock } = paying(hanging);
    void paid.then(() => {
      isOver = true;
    });
    await clock.advance(239_999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect(isOver).toBe(true);
  });
});

describe("a call that is not to go on", () => {
  it("ends with the reason, also where the model gives another", async () => {
    const lost = new Error("The lease is lost");
    const { paid, aborter } = paying(hanging);
    aborter.abort(lost);
    await expect(paid).rejects.toBe(lost);
    const other = paying(async (_call, signal) => {
      await hanging(_call, signal).catch(() => undefined);
      throw new Error("Socket closed");
    });
    other.aborter.abort(lost);
    await expect(other.paid).rejects.toBe(lost);
  });

  it("ends with what nobody expected", async () => {
    const { paid } = paying(() => Promise.reject(new Error("Bug")));
    await expect(paid).rejects.toThrow("Bug");
  });

  it("doesn't go on trying to store", async () => {
    const { paid, aborter, told, clock } = paying(sampleAnswer(), { cannotStore: true });
    const ended = expect(paid).rejects.toThrow("Slow down");
    await clock.advance(1_000);
    aborter.abort();
    await ended;
    expect(told).toHaveLength(1);
  });
});
