import type { QueuedJob } from "@plantain/core/job/job";
import { imageKey } from "@plantain/core/job/keys";
import type { FetchedImage, StoredImage } from "@plantain/core/job/outcome";
import type { JobRecord, Jobs } from "@plantain/core/job/ports";
import type { JobRequest } from "@plantain/core/job/request";
import { sampleJob, sampleRequest } from "./samples.ts";

export type About = {
  readonly job?: Partial<QueuedJob>;
  readonly request?: Partial<JobRequest>;
  /** What is special of each of its images; one image if left out. */
  readonly images?: readonly Partial<StoredImage>[];
  /** What the URLs of its request led to. */
  readonly fetched?: readonly FetchedImage[];
};

/** Puts a job that has succeeded into the store, as a later job finds it. For tests. */
export async function storeSucceeded(
  jobs: Jobs,
  { job: aboutJob, request, images = [{}], fetched = [] }: About = {},
): Promise<JobRecord> {
  const queued = sampleJob(aboutJob);
  const { runAfter: _, dueAt: __, checks: ___, ...job } = { ...queued, fence: 1, version: 2 };
  const finishedAt = job.createdAt + 30_000;
  const stored = images.map((about, index) => ({
    index,
    fence: 1,
    key: imageKey(job, 1, index),
    mediaType: "image/png" as const,
    width: 1024,
    height: 1024,
    bytes: 1_000,
    sha256: String(index).repeat(64),
    usedHistory: true,
    ...about,
  }));
  await jobs.create(queued, sampleRequest(request), null, job.createdAt);
  await jobs.write(
    queued,
    { ...job, status: "succeeded", finishedAt },
    { result: { images: stored, text: null, grounding: null, fetched: [...fetched], warnings: [] } },
  );
  const record = await jobs.read(job.id);
  if (!record) throw new Error(`Cannot store job "${job.id}": it isn't there afterwards`);
  return record;
}
