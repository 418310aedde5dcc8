import { manualClock } from "@plantain/memory/clock";
import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { cancel } from "./cancel.ts";
import { heartbeat, LeaseLost } from "./heartbeat.ts";
import { ownJob } from "./own-job.ts";
import type { Jobs } from "./ports.ts";
import { transition } from "./transition.ts";

const { beatMs, leaseMs, beatVisibilityMs } = samplePolicy;

/** A heart that beats for a job which has just been claimed. */
async function beating({ write, extend }: { write?: Jobs["write"]; extend?: () => Promise<void> } = {}) {
  const clock = manualClock();
  const jobs = memoryJobs();
  const queued = sampleJob({ createdAt: clock.now() });
  await jobs.create(queued, sampleRequest(), null, clock.now());
  const { job } = await transition(jobs, queued, { type: "claimed", at: clock.now() }, samplePolicy);
  if (job?.status !== "running") throw new Error("The job was not claimed");
  const extended: number[] = [];
  const message = {
    extend: async (ms: number) => {
      extended.push(ms);
      await extend?.();
    },
    ack: () => Promise.reject(new Error("A heart acknowledges nothing")),
  };
  const ports = { jobs: { ...jobs, ...(write ? { write } : {}) }, clock, policy: samplePolicy };
  const beat = heartbeat(ports, ownJob(ports, job), message);
  const leaseUntil = async () => {
    const now = await jobs.load(job.id);
    return now?.status === "running" ? now.leaseUntil - clock.now() : null;
  };
  return { ...beat, clock, jobs, job, extended, leaseUntil };
}

describe("a heartbeat", () => {
  it("renews lease and message again and again", async () => {
    const heart = await beating();
    await heart.clock.advance(beatMs - 1);
    expect(heart.extended).toEqual([]);
    await heart.clock.advance(1);
    expect(await heart.leaseUntil()).toBe(leaseMs);
    await heart.clock.advance(2 * beatMs);
    expect(await heart.leaseUntil()).toBe(leaseMs);
    expect(heart.extended).toEqual([beatVisibilityMs, beatVisibilityMs, beatVisibilityMs]);
    expect(heart.signal.aborted).toBe(false);
    await heart.stop();
  });

  it("is over once it is stopped", async () => {
    const heart = await beating();
    await heart.clock.advance(beatMs);
    await heart.stop();
    await heart.clock.advance(5 * beatMs);
    expect(heart.extended).toHaveLength(1);
    expect(await heart.leaseUntil()).toBe(leaseMs - 5 * beatMs);
    expect(heart.signal.aborted).toBe(false);
  });

  it("goes on beside other changes of its job", async () => {
    const heart = await beating();
    const fact = { type: "rechecked", at: heart.clock.now(), fence: 1, paying: [0] } as const;
    await transition(heart.jobs, heart.job, fact, samplePolicy);
    await heart.clock.advance(beatMs);
    expect(await heart.jobs.load(heart.job.id)).toMatchObject({ paying: [0] });
    expect(await heart.leaseUntil()).toBe(leaseMs);
    await heart.stop();
  });

  it("stops the attempt when the job is no longer its own, and says why", async () => {
    const heart = await beating();
    await cancel({ jobs: heart.jobs, clock: heart.clock, policy: samplePolicy }, "acme", heart.job.id);
    await heart.clock.advance(beatMs);
    expect(heart.signal.reason).toBeInstanceOf(LeaseLost);
    expect(heart.signal.reason).toMatchObject({
      name: "LeaseLost",
      refused: "over",
      message: "Cannot go on with the attempt: over",
    });
    expect(heart.extended).toEqual([]);
    await heart.stop();
  });

  it("stops the attempt when the lease can't be renewed, whatever the reason", async () => {
    const throttled = new Error("Throttled");
    const heart = await beating({ write: () => Promise.reject(throttled) });
    await heart.clock.advance(beatMs);
    expect(heart.signal.reason).toMatchObject({ refused: "beat_failed", cause: throttled });
    await heart.clock.advance(beatMs);
    expect(heart.extended).toEqual([]);
    await heart.stop();
  });

  it("doesn't mind when only the message can't be renewed", async () => {
    const heart = await beating({ extend: () => Promise.reject(new Error("The message does not exist")) });
    await heart.clock.advance(2 * beatMs);
    expect(heart.signal.aborted).toBe(false);
    expect(heart.extended).toHaveLength(2);
    expect(await heart.leaseUntil()).toBe(leaseMs);
    await heart.stop();
  });
});
