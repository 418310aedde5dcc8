import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, sampleRegistry } from "@plantain/memory/samples";
import { storeSucceeded } from "@plantain/memory/succeeded";
import { beforeEach, describe, expect, it } from "vitest";
import type { JobId } from "../id.ts";
import type { Jobs } from "../job/ports.ts";
import type { HistoryRef, InputImage, ReferenceImage } from "../job/request.ts";
import { continueFrom, mostImageBytes, mostTurns } from "./continue.ts";

const pro = sampleRegistry.choose("nano-banana-pro").model;
const other = sampleRegistry.choose("gemini-nano-banana-2.1").model;

const image = (bytes: number): InputImage => ({
  sha256: "f".repeat(64),
  mediaType: "image/png",
  bytes,
  width: 1,
  height: 1,
  source: null,
});
const images = (count: number, bytes = 1) => Array.from({ length: count }, () => image(bytes));
const turn = (about: Partial<HistoryRef> = {}): HistoryRef => ({
  jobId: sampleJob().id,
  index: 0,
  bytes: 10,
  images: 0,
  ...about,
});

describe("a job that goes on from an earlier one", () => {
  let jobs: Jobs;
  beforeEach(() => {
    jobs = memoryJobs();
  });

  const from = (
    jobId: JobId,
    model = pro,
    brought: readonly ReferenceImage[] = [],
    index: number | null = 0,
  ) => continueFrom(jobs, "acme", { jobId, index }, model, brought);

  it("has that job as its whole history where it was a beginning", async () => {
    const { job, result } = await storeSucceeded(jobs, { request: { images: images(2, 50) } });
    expect(await from(job.id)).toEqual({
      turn: { jobId: job.id, index: 0 },
      continued: {
        sha256: "0".repeat(64),
        mediaType: "image/png",
        bytes: 1_000,
        width: 1_024,
        height: 1_024,
        source: { jobId: job.id, index: 0, key: result?.images[0]?.key },
      },
      history: [{ jobId: job.id, index: 0, bytes: 1_100, images: 2 }],
      warnings: [],
    });
  });

  it("goes on from the first image that came where none is named", async () => {
    const { job } = await storeSucceeded(jobs, { images: [{ index: 2 }] });
    const { turn, history } = await from(job.id, pro, [], null);
    expect(turn).toEqual({ jobId: job.id, index: 2 });
    expect(history).toMatchObject([turn]);
  });

  it("has the turns before it too, oldest first; then the image it went on from is theirs and weighs nothing here", async () => {
    const before = [turn(), turn()];
    const request = { history: before, continued: image(700), images: images(1, 50) };
    const { job } = await storeSucceeded(jobs, { request });
    const { history } = await from(job.id);
    expect(history).toEqual([...before, { jobId: job.id, index: 0, bytes: 1_050, images: 1 }]);
  });

  it("begins anew with a job that didn't send its history: the image it went on from was asked with it", async () => {
    const request = { history: [turn()], continued: image(700), images: images(1, 50) };
    const { job } = await storeSucceeded(jobs, { request, images: [{ usedHistory: false }] });
    const expected = [{ jobId: job.id, index: 0, bytes: 1_750, images: 2 }];
    expect((await from(job.id)).history).toEqual(expected);

    const { job: switched } = await storeSucceeded(jobs, { request: { ...request, history: [] } });
    expect((await from(switched.id)).history).toMatchObject([{ bytes: 1_750, images: 2 }]);
  });

  it("sends only the image where the turns are another model's, and says so", async () => {
    const { job } = await storeSucceeded(jobs);
    const { turn, continued, history, warnings } = await from(job.id, other);
    expect({ turn, history, warnings }).toEqual({
      turn: { jobId: job.id, index: 0 },
      history: [],
      warnings: [
        'The turns before were not sent: they were made by model "gemini-3-pro-image", ' +
          `this one by "gemini-nano-banana-2.1"; the image of job "${job.id}" was sent instead`,
      ],
    });
    expect(continued.source?.jobId).toBe(job.id);
  });

  it("sends only the image where the turns hold more reference images than the model takes, its own included", async () => {
    const request = { history: [turn({ images: 10 })], images: images(2) };
    const { job } = await storeSucceeded(jobs, { request });
    expect((await from(job.id, pro, images(2))).history).toHaveLength(2);
    expect(await from(job.id, pro, images(3))).toMatchObject({
      history: [],
      warnings: [
        expect.stringContaining(
          'with them there are 15 reference images, and "gemini-3-pro-image" takes 14;',
        ),
      ],
    });
  });

  it("sends only the image where everything together is too heavy for a request", async () => {
    const left = mostImageBytes - 1_000 - 10 - 20;
    const { job } = await storeSucceeded(jobs, { request: { history: [turn()], images: images(1, 20) } });
    expect((await from(job.id, pro, [image(left)])).history).toHaveLength(2);
    expect(await from(job.id, pro, [image(left + 1)])).toMatchObject({
      history: [],
      warnings: [expect.stringContaining("their images are over 60 MB together;")],
    });
  });

  it("weighs the images by URL of the turns before as they were fetched, and its own not at all", async () => {
    const link = { url: "https://example.com/cat" };
    const fetched = { ...link, sha256: "0".repeat(64), mediaType: "image/png", width: 1, height: 1 } as const;
    const { job } = await storeSucceeded(jobs, {
      request: { images: [link, image(7)] },
      fetched: [{ ...fetched, bytes: 500 }],
    });
    const { history } = await from(job.id, pro, [link]);
    expect(history).toEqual([{ jobId: job.id, index: 0, bytes: 1_507, images: 2 }]);
  });

  it("is refused when it would be one turn too many, with the remedy", async () => {
    const before = Array.from({ length: mostTurns - 2 }, () => turn());
    const { job: last } = await storeSucceeded(jobs, { request: { history: before } });
    expect((await from(last.id)).history).toHaveLength(mostTurns - 1);
    const { job: full } = await storeSucceeded(jobs, { request: { history: [...before, turn()] } });
    await expect(from(full.id)).rejects.toMatchObject({
      code: "conversation_too_long",
      message:
        `A conversation has at most 32 turns; start a new one with the image of job "${full.id}" ` +
        "as a reference image",
      field: "continue_from",
    });
  });

  it("may go on after that where the turns aren't sent anyhow", async () => {
    const history = Array.from({ length: mostTurns }, () => turn());
    const { job } = await storeSucceeded(jobs, { request: { history } });
    expect((await from(job.id, other)).history).toEqual([]);
  });

  it("is refused where there is no such job or image, with the field that names it", async () => {
    const { job } = await storeSucceeded(jobs);
    await expect(from(sampleJob().id)).rejects.toMatchObject({
      code: "source_job_not_found",
      field: "continue_from",
    });
    await expect(from(job.id, pro, [], 4)).rejects.toMatchObject({
      code: "source_image_not_found",
      field: "continue_from.index",
    });
  });
});
