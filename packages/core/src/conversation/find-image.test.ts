import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, sampleRequest } from "@plantain/memory/samples";
import { storeSucceeded } from "@plantain/memory/succeeded";
import { beforeEach, describe, expect, it } from "vitest";
import type { JobId } from "../id.ts";
import type { Jobs } from "../job/ports.ts";
import { findImage } from "./find-image.ts";

describe("an earlier job's image", () => {
  let jobs: Jobs;
  beforeEach(() => {
    jobs = memoryJobs();
  });

  const find = (jobId: JobId, index: number | null = null, tenant = "acme") =>
    findImage(jobs, tenant, { jobId, index }, "the job", "the image");

  it("is the one that is named, with where it lies", async () => {
    const record = await storeSucceeded(jobs, { images: [{}, { width: 640, usedHistory: false }] });
    expect(await find(record.job.id, 1)).toEqual({
      record,
      index: 1,
      image: {
        sha256: "1".repeat(64),
        mediaType: "image/png",
        bytes: 1_000,
        width: 640,
        height: 1_024,
        source: { jobId: record.job.id, index: 1, key: record.result?.images[1]?.key },
      },
      usedHistory: false,
    });
  });

  it("is the first there is where none is named, even if the first that was asked for didn't come", async () => {
    const { job } = await storeSucceeded(jobs, { images: [{ index: 1 }, { index: 3 }] });
    expect(await find(job.id)).toMatchObject({ index: 1, image: { source: { index: 1 } } });
    expect(await find(job.id, 3)).toMatchObject({ index: 3, usedHistory: true });
  });

  it("isn't there when it didn't come: the refusal lists those that did", async () => {
    const { job } = await storeSucceeded(jobs, { images: [{ index: 1 }, { index: 3 }] });
    await expect(find(job.id, 0)).rejects.toMatchObject({
      code: "source_image_not_found",
      message: `Job "${job.id}" has no image 0`,
      field: "the image",
      allowed: ["1", "3"],
    });
  });

  it("of another tenant is the same as none", async () => {
    const { job } = await storeSucceeded(jobs, { job: { tenant: "other" } });
    const unknown = sampleJob().id;
    const refusal = (id: JobId) => ({
      code: "source_job_not_found",
      message: `There is no job "${id}"; name one of your own that succeeded`,
      field: "the job",
    });
    await expect(find(job.id)).rejects.toMatchObject(refusal(job.id));
    await expect(find(unknown)).rejects.toMatchObject(refusal(unknown));
    expect(await find(job.id, null, "other")).toMatchObject({ index: 0 });
  });

  it("isn't there before its job has succeeded", async () => {
    const job = sampleJob();
    await jobs.create(job, sampleRequest(), null, job.createdAt);
    await expect(find(job.id)).rejects.toMatchObject({
      code: "source_job_not_succeeded",
      message: `Job "${job.id}" is queued; only a succeeded job has images`,
      field: "the job",
    });
  });

  it("is never taken from a job that ended otherwise, whatever it has", async () => {
    const { job } = await storeSucceeded(jobs);
    const read: Jobs["read"] = async (id) => {
      const record = await jobs.read(id);
      return record && { ...record, job: { ...job, status: "canceled", finishedAt: 1 } };
    };
    await expect(
      findImage({ ...jobs, read }, "acme", { jobId: job.id, index: 0 }, "the job", "the image"),
    ).rejects.toMatchObject({ code: "source_job_not_succeeded" });
  });
});
