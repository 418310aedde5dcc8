import { manualClock } from "@plantain/memory/clock";
import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { cancel } from "./cancel.ts";
import type { Jobs } from "./ports.ts";

async function withJob() {
  const clock = manualClock();
  const jobs = memoryJobs();
  const job = sampleJob({ createdAt: clock.now() });
  await jobs.create(job, sampleRequest(), null, clock.now());
  return { jobs, clock, policy: samplePolicy, job };
}
const notFound = { code: "job_not_found", message: expect.stringMatching(/There is no job "job_\w+"/) };

describe("a cancellation", () => {
  it("ends a job, and finds one that is over as it ended", async () => {
    const w = await withJob();
    const canceled = await cancel(w, "acme", w.job.id);
    expect(canceled).toMatchObject({ status: "canceled", finishedAt: w.clock.now() });
    await w.clock.advance(9);
    expect(await cancel(w, "acme", w.job.id)).toEqual(canceled);
  });

  it("finds no job of another tenant, none that never was, and none that is gone meanwhile", async () => {
    const w = await withJob();
    await expect(cancel(w, "globex", w.job.id)).rejects.toMatchObject(notFound);
    expect((await w.jobs.load(w.job.id))?.status).toBe("queued");
    await expect(cancel(w, "acme", sampleJob().id)).rejects.toMatchObject(notFound);
    const gone: Jobs = { ...w.jobs, write: async () => ({ written: false, current: null }) };
    await expect(cancel({ ...w, jobs: gone }, "acme", w.job.id)).rejects.toMatchObject(notFound);
  });
});
