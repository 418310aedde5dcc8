import { memoryJobs } from "@plantain/memory/jobs";
import { pngHeader } from "@plantain/memory/png";
import { storeSucceeded } from "@plantain/memory/succeeded";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../hash.ts";
import { mediaTypes } from "../image/inspect.ts";
import { acceptImage } from "./accept-image.ts";
import type { SubmittedImage } from "./submission.ts";

const sent = (bytes: Uint8Array, mediaType: "image/png" | "image/jpeg" | null = null): SubmittedImage => ({
  type: "data",
  bytes,
  mediaType,
});
const accepted = (image: SubmittedImage, index = 2) => acceptImage(memoryJobs(), "acme", image, index);

describe("a reference image by URL", () => {
  it("is kept as it is: nobody has looked at it yet", async () => {
    const url = "https://example.com/cat.png";
    expect(await accepted({ type: "url", url })).toEqual({ image: { url }, bytes: null });
  });
});

describe("a reference image that is sent", () => {
  it("is measured and named by its bytes", async () => {
    const bytes = pngHeader(640, 480);
    expect(await accepted(sent(bytes))).toEqual({
      image: {
        sha256: sha256Hex(bytes),
        mediaType: "image/png",
        bytes: 45,
        width: 640,
        height: 480,
        source: null,
      },
      bytes,
    });
  });

  it("may be called what it is", async () => {
    expect((await accepted(sent(pngHeader(1, 1), "image/png"))).image).toMatchObject({
      mediaType: "image/png",
    });
  });

  it("is refused when it is called what it isn't", async () => {
    await expect(accepted(sent(pngHeader(1, 1), "image/jpeg"))).rejects.toMatchObject({
      code: "invalid_image",
      message: "Cannot use image 2: it is called image/jpeg, but by its bytes it is image/png",
      field: "images[2].media_type",
      allowed: ["image/png"],
    });
  });

  it.each([
    ["no picture", new TextEncoder().encode("hello"), "by its bytes it is none of PNG, JPEG"],
    ["cut off", pngHeader(1, 1).subarray(0, 30), "its end is missing; send the whole file"],
  ])("is refused when it is %s, with the types there are", async (_name, bytes, reason) => {
    await expect(accepted(sent(bytes))).rejects.toMatchObject({
      code: "invalid_image",
      message: expect.stringContaining(`Cannot use image 2: ${reason}`),
      field: "images[2].data",
      allowed: mediaTypes,
    });
  });

  it("may have 40 megapixels and no more", async () => {
    expect((await accepted(sent(pngHeader(8_000, 5_000)))).image).toMatchObject({
      width: 8_000,
      height: 5_000,
    });
    await expect(accepted(sent(pngHeader(8_000, 5_001)), 0)).rejects.toMatchObject({
      code: "image_too_large",
      message: "Cannot use image 0: 8000x5001 is over 40 megapixels; send a smaller one",
      field: "images[0].data",
    });
  });
});

describe("a reference image from an earlier job", () => {
  it("stays where it is until a worker needs it", async () => {
    const jobs = memoryJobs();
    const { job, result } = await storeSucceeded(jobs, { images: [{}, { width: 2_048 }] });
    const image = { type: "job", jobId: job.id, index: 1 } as const;
    expect(await acceptImage(jobs, "acme", image, 0)).toEqual({
      image: {
        sha256: "1".repeat(64),
        mediaType: "image/png",
        bytes: 1_000,
        width: 2_048,
        height: 1_024,
        source: { jobId: job.id, index: 1, key: result?.images[1]?.key },
      },
      bytes: null,
    });
  });

  it("is refused with the field that names the job, or the one that names the image", async () => {
    const jobs = memoryJobs();
    const { job } = await storeSucceeded(jobs);
    await expect(
      acceptImage(jobs, "other", { type: "job", jobId: job.id, index: null }, 3),
    ).rejects.toMatchObject({ code: "source_job_not_found", field: "images[3].job_id" });
    await expect(
      acceptImage(jobs, "acme", { type: "job", jobId: job.id, index: 7 }, 3),
    ).rejects.toMatchObject({ code: "source_image_not_found", field: "images[3].index" });
  });
});
