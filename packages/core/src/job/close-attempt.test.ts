import { scriptedModel } from "@plantain/memory/model";
import {
  sampleAnswer,
  sampleLimits,
  samplePolicy,
  sampleRegistry,
  sampleRequest,
} from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { Held } from "../capacity/held.ts";
import { noUsage } from "../model/pricing.ts";
import { unknownCall } from "./attempt.ts";
import { cancel } from "./cancel.ts";
import { closeAttempt, type InHand } from "./close-attempt.ts";
import type { Failure } from "./failure.ts";
import { LeaseLost } from "./heartbeat.ts";
import type { Fact } from "./job.ts";
import type { Outcome } from "./outcome.ts";
import { ownJob } from "./own-job.ts";
import type { Jobs } from "./ports.ts";
import { record, world } from "./run-attempt.fixture.ts";
import { transition } from "./transition.ts";

const model = sampleRegistry.choose("nano-banana-pro").model;
const overloaded: Failure = { code: "overloaded", message: "Busy", billed: "no" };
const blocked: Failure = { code: "content_blocked.prompt", message: "Refused", billed: "no" };
const call = { ...unknownCall(0), billed: "yes" as const, cost: 7 };
const byModel: Held = { by: "model:gemini-3-pro-image", reason: "model_limit", since: 0, until: null };
const drawn: Outcome = {
  type: "image",
  image: {
    index: 0,
    fence: 1,
    key: "out/0",
    mediaType: "image/png",
    width: 1_024,
    height: 1_024,
    bytes: 7,
    sha256: "0".repeat(64),
    usedHistory: true,
  },
  text: null,
  grounding: null,
  parts: [],
  fetched: [],
  historyUnused: null,
  upstream: null,
  cost: 7,
  usage: noUsage,
};

/** A job that was claimed ten seconds after it was due, nine seconds ago; its message is gone. */
async function claimed({ deadlineIn = 1_800_000 } = {}) {
  const w = await world(scriptedModel(sampleAnswer()));
  await w.queue.receive(1)?.message.ack();
  const due = w.clock.now();
  await w.clock.advance(10_000);
  await w.jobs.write(w.job, { ...w.job, deadlineAt: due + deadlineIn, version: 2 });
  const job = await happens(w.jobs, { type: "claimed", at: w.clock.now() });
  if (job?.status !== "running") throw new Error("The job was not claimed");
  await w.clock.advance(9_000);
  const aborter = new AbortController();
  const ports = { ...w.ports, random: { ...w.ports.random, fraction: () => 0 } };
  const close = (about: Partial<InHand> = {}, change = {}) => {
    const inHand = { outcomes: [], failures: [], calls: [call], more: null, opensAt: null, ...about };
    const all = { ...ports, ...change };
    return closeAttempt(all, ownJob(all, job), model, sampleRequest(), inHand, aborter.signal);
  };
  function happens(jobs: Jobs, fact: Fact) {
    return jobs
      .load(w.job.id)
      .then(async (now) => now && (await transition(jobs, now, fact, samplePolicy)).job);
  }
  /** The write that ends the attempt takes effect, and its answer is lost. */
  const losing = (): Jobs => {
    let isLost = false;
    return {
      ...w.jobs,
      async write(...asked) {
        const written = await w.jobs.write(...asked);
        if (isLost) return written;
        isLost = true;
        throw new Error("Timed out");
      },
    };
  };
  const told = () => record(w, w.job.id);
  return { ...w, job, due, close, happens: (fact: Fact) => happens(w.jobs, fact), losing, told };
}
/** When the next message is visible, from now. */
async function nextMessageMs({ queue, clock }: Awaited<ReturnType<typeof claimed>>): Promise<number | null> {
  for (let waited = 0; waited <= 2_000_000; waited += 500) {
    if (queue.receive(1)) return waited;
    if (queue.size === 0) return null;
    await clock.advance(500);
  }
  return null;
}

describe("an attempt that ends", () => {
  it("leaves its line in the flight recorder, and its result", async () => {
    const w = await claimed();
    expect(await w.close({ outcomes: [drawn] })).toEqual({ ended: "succeeded", fence: 1 });
    const { job, attempts, result } = await w.told();
    expect(job).toMatchObject({ status: "succeeded", finishedAt: w.clock.now() });
    expect(attempts).toEqual([
      {
        fence: 1,
        queuedAt: w.due,
        startedAt: w.due + 10_000,
        endedAt: w.due + 19_000,
        ended: "succeeded",
        failure: null,
        reason: null,
        calls: [call],
      },
    ]);
    expect(result).toMatchObject({ images: [drawn.image], warnings: [] });
    expect(w.queue.size).toBe(0);
  });

  it("tells what its calls cost with that line, and not once more", async () => {
    const w = await claimed();
    let told = 0;
    const settle: Jobs["settle"] = async () => {
      told += 1;
    };
    await w.close({ outcomes: [drawn] }, { jobs: { ...w.jobs, settle } });
    expect((await w.told()).attempts).toMatchObject([{ calls: [call] }]);
    expect(told).toBe(0);
  });

  it("by a failure for good tells it, and has no result", async () => {
    const w = await claimed();
    expect(await w.close({ failures: [blocked] })).toEqual({ ended: "failed", fence: 1, failure: blocked });
    const { job, attempts, result } = await w.told();
    expect(job).toMatchObject({ status: "failed", failure: blocked });
    expect(attempts).toMatchObject([{ ended: "failed", failure: blocked }]);
    expect(result).toBeNull();
    expect(w.queue.size).toBe(0);
  });

  it("by one that may pass is told about by a message, a second after its wait", async () => {
    const w = await claimed();
    expect(await w.close({ failures: [overloaded] })).toMatchObject({
      ended: "retried",
      failure: overloaded,
    });
    expect(await nextMessageMs(w)).toBe(2_000 + 1_000);
  });

  it("waits for the gate where that is known", async () => {
    const w = await claimed();
    const limited: Failure = { ...overloaded, code: "rate_limited" };
    await w.close({ failures: [limited], opensAt: w.clock.now() + 30_000 });
    expect(await nextMessageMs(w)).toBe(30_000 + 1_000);
  });

  it("is left to the sweep where no message can wait for so long", async () => {
    const w = await claimed({ deadlineIn: 10_000_000 });
    const limited: Failure = { ...overloaded, code: "quota_exhausted" };
    await w.close({ failures: [limited], opensAt: w.clock.now() + 900_001 });
    expect(await w.jobs.load(w.job.id)).toMatchObject({ runAfter: w.clock.now() + 900_001 });
    expect(w.queue.size).toBe(0);
  });

  it("with images left to try is told about at once", async () => {
    const w = await claimed();
    expect(await w.close({ more: { reason: "function_time", held: null } })).toEqual({
      ended: "released",
      fence: 1,
    });
    expect(await w.jobs.load(w.job.id)).toMatchObject({ status: "queued", held: null });
    expect(await nextMessageMs(w)).toBe(0);
  });

  it("with images that there is no place for stands in line, without a message", async () => {
    const w = await claimed();
    const full = { limits: { ...sampleLimits, callsPerModel: 0 } };
    await w.close({ more: { reason: "model_limit", held: byModel } }, full);
    expect(await w.jobs.load(w.job.id)).toMatchObject({ status: "queued", held: byModel });
    expect((await w.ports.pools.load(byModel.by)).waiting).toHaveProperty("acme");
    expect(w.queue.size).toBe(0);
  });
});

describe("an attempt whose end was written though the answer was lost", () => {
  const ends: [string, Partial<InHand>][] = [
    ["succeeded", { outcomes: [drawn] }],
    ["failed", { failures: [blocked] }],
    ["retried", { failures: [overloaded] }],
    ["released", { more: { reason: "function_time", held: null } }],
  ];
  it.each(ends)("has %s all the same", async (ended, about) => {
    const w = await claimed();
    const closing = w.close(about, { jobs: w.losing() });
    await w.clock.advance(1_000);
    expect(await closing).toMatchObject({ ended, fence: 1 });
    const isQueued = ended === "retried" || ended === "released";
    expect(w.queue.size).toBe(isQueued ? 1 : 0);
  });
});

describe("an attempt that isn't the one to end its job", () => {
  const refused = async (w: Awaited<ReturnType<typeof claimed>>, about: Partial<InHand>, change = {}) => {
    const error: unknown = await w.close(about, change).catch((thrown: unknown) => thrown);
    if (!(error instanceof LeaseLost)) throw new Error(`It was not refused: ${JSON.stringify(error)}`);
    expect(w.queue.size).toBe(0);
    return error.refused;
  };
  const success = { outcomes: [drawn] };

  it("because that is over otherwise", async () => {
    const w = await claimed();
    await cancel(w.ports, "acme", w.job.id);
    expect(await refused(w, success)).toBe("over");
    expect(await refused(w, { failures: [overloaded] })).toBe("over");
    expect((await w.told()).result).toBeNull();
  });

  it("because another has come to the same end", async () => {
    const w = await claimed();
    const at = w.clock.now() + samplePolicy.leaseMs;
    const next = await w.happens({ type: "claimed", at });
    expect(await refused(w, success), "it is under way").toBe("lease_lost");
    expect(next).toMatchObject({ status: "running", fence: 2 });
    await w.happens({ type: "succeeded", at, fence: 2 });
    expect(await refused(w, success)).toBe("over");
  });

  it("because another has given it back", async () => {
    const w = await claimed();
    const at = w.clock.now() + samplePolicy.leaseMs;
    await w.happens({ type: "claimed", at });
    await w.happens({ type: "released", at, fence: 2, hasImages: false, held: null });
    expect(await refused(w, { more: { reason: "function_time", held: null } })).toBe("lease_lost");
    expect(await refused(w, success)).toBe("lease_lost");
  });

  it("because there is none any more", async () => {
    const w = await claimed();
    const jobs: Jobs = { ...w.jobs, write: async () => ({ written: false, current: null }) };
    expect(await refused(w, success, { jobs })).toBe("absent");
  });
});
