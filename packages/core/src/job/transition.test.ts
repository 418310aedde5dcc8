import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { beforeEach, describe, expect, it } from "vitest";
import type { Attempt } from "./attempt.ts";
import type { Fact, Job, QueuedJob } from "./job.ts";
import type { Jobs } from "./ports.ts";
import { transition } from "./transition.ts";

const now = Date.UTC(2026, 10, 1);
const line: Attempt = {
  fence: 1,
  queuedAt: now,
  startedAt: now,
  endedAt: now + 9,
  ended: "succeeded",
  failure: null,
  reason: null,
  calls: [],
};
const result = {
  images: [
    {
      index: 0,
      fence: 1,
      key: "out/0",
      mediaType: "image/png" as const,
      width: 1,
      height: 1,
      bytes: 1,
      sha256: "0".repeat(64),
      usedHistory: true,
    },
  ],
  text: null,
  grounding: null,
  fetched: [],
  warnings: [],
};

let jobs: Jobs;
let queued: QueuedJob;
beforeEach(async () => {
  jobs = memoryJobs();
  queued = sampleJob({ createdAt: now });
  await jobs.create(queued, sampleRequest(), null, now);
});

async function after(job: Job, fact: Fact): Promise<Job> {
  const came = await transition(jobs, job, fact, samplePolicy);
  if (came.refused !== undefined) throw new Error(`Refused: ${came.refused}`);
  return came.job;
}
const claimed = async () => {
  const job = await after(queued, { type: "claimed", at: now });
  return after(job, { type: "rechecked", at: now + 1, fence: 1, paying: [0, 2] });
};
const attempts = async () => (await jobs.read(queued.id))?.attempts;

describe("a transition", () => {
  it("is written, and gives the job as it is now", async () => {
    const job = await after(queued, { type: "claimed", at: now });
    expect(job).toMatchObject({ status: "running", version: 2 });
    expect(await jobs.load(queued.id)).toEqual(job);
    expect(await attempts(), "it has only begun").toEqual([]);
  });

  it("is decided on again where somebody was quicker", async () => {
    await after(queued, { type: "claimed", at: now });
    const late = await transition(jobs, queued, { type: "claimed", at: now }, samplePolicy);
    expect(late).toMatchObject({ refused: "leased", job: { status: "running" } });
    expect(await after(queued, { type: "canceled", at: now + 5 })).toMatchObject({ version: 3 });
  });

  it("of a job that is gone is refused", async () => {
    const gone = await transition(jobs, sampleJob(), { type: "claimed", at: now }, samplePolicy);
    expect(gone).toEqual({ refused: "absent", job: null });
  });
});

describe("an attempt that ends", () => {
  it("gets the line and the result that its owner has for it", async () => {
    const fact = { type: "succeeded", at: now + 9, fence: 1 } as const;
    await transition(jobs, await claimed(), fact, samplePolicy, { attempt: line, result });
    expect(await jobs.read(queued.id)).toMatchObject({ attempts: [line], result });
  });

  it("by somebody else gets an unsettled line, for what it was paying for", async () => {
    await after(await claimed(), { type: "canceled", at: now + 9 });
    expect(await attempts()).toMatchObject([
      {
        fence: 1,
        startedAt: now,
        endedAt: now + 9,
        ended: "canceled",
        calls: [
          { index: 0, billed: "unknown" },
          { index: 2, billed: "unknown" },
        ],
      },
    ]);
    expect((await jobs.read(queued.id))?.result).toBeNull();
  });

  it("by the next claim, or by being held instead, has lost its worker", async () => {
    const later = now + samplePolicy.leaseMs + 1;
    await after(await claimed(), { type: "claimed", at: later });
    expect(await attempts()).toMatchObject([{ fence: 1, endedAt: later, ended: "worker_lost" }]);
    const held = { by: "model:m", reason: "model_limit", since: now, until: null } as const;
    const job = await jobs.load(queued.id);
    if (job) await after(job, { type: "held", at: later + samplePolicy.leaseMs, held });
    expect((await attempts())?.map(({ ended }) => ended)).toEqual(["worker_lost", "worker_lost"]);
  });

  it("by the deadline of its job is told as expired, and by its being given back as released", async () => {
    await after(await claimed(), { type: "expired", at: queued.deadlineAt });
    expect(await attempts()).toMatchObject([{ ended: "expired" }]);
    queued = sampleJob({ createdAt: now });
    await jobs.create(queued, sampleRequest(), null, now);
    const fact = { type: "released", at: now + 9, fence: 1, hasImages: false, held: null } as const;
    await after(await claimed(), fact);
    expect(await attempts()).toMatchObject([{ ended: "released" }]);
  });

  it("is none while its lease is only renewed, or where none was under way", async () => {
    await after(await claimed(), { type: "beaten", at: now + 9, fence: 1 });
    expect(await attempts()).toEqual([]);
    queued = sampleJob({ createdAt: now });
    await jobs.create(queued, sampleRequest(), null, now);
    await after(queued, { type: "canceled", at: now });
    expect(await attempts()).toEqual([]);
  });
});
