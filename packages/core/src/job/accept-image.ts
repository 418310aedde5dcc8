import { DomainError } from "../error.ts";
import { sha256Hex } from "../hash.ts";
import type { JobId } from "../id.ts";
import { inspect, type MediaType, mediaTypes } from "../image/inspect.ts";
import type { Jobs } from "./ports.ts";
import type { InputImage } from "./request.ts";

/** A reference image as a caller hands it in. */
export type SubmittedImage =
  /** `mediaType` is what the caller says; the bytes decide, and a contradiction is refused. */
  | { readonly type: "data"; readonly bytes: Uint8Array; readonly mediaType: MediaType | null }
  | { readonly type: "job"; readonly jobId: JobId; readonly index: number };

const largestPixels = 40_000_000;

/**
 * What a job keeps of a reference image, with its bytes where the caller sent them.
 * @param index its place in the request, for the field that a refusal names
 * @throws DomainError when the image can't be used, with the reason
 */
export async function acceptImage(
  jobs: Jobs,
  tenant: string,
  image: SubmittedImage,
  index: number,
): Promise<{ image: InputImage; bytes: Uint8Array | null }> {
  return image.type === "data" ? inspectInput(image, index) : findSource(jobs, tenant, image, index);
}

function inspectInput(
  { bytes, mediaType: declared }: Extract<SubmittedImage, { type: "data" }>,
  index: number,
): { image: InputImage; bytes: Uint8Array } {
  const field = `images[${index}].data`;
  const found = inspect(bytes);
  if ("unreadable" in found) {
    const reason =
      found.unreadable === "truncated"
        ? "its end is missing; send the whole file"
        : "by its bytes it is none of PNG, JPEG, WebP, HEIC and HEIF";
    throw new DomainError("invalid_image", `Cannot use image ${index}: ${reason}`, {
      field,
      allowed: mediaTypes,
    });
  }
  const { mediaType, width, height } = found;
  if (declared !== null && declared !== mediaType) {
    throw new DomainError(
      "invalid_image",
      `Cannot use image ${index}: it is called ${declared}, but by its bytes it is ${mediaType}`,
      { field: `images[${index}].media_type`, allowed: [mediaType] },
    );
  }
  if (width * height > largestPixels) {
    throw new DomainError(
      "image_too_large",
      `Cannot use image ${index}: ${width}x${height} is over 40 megapixels; send a smaller one`,
      { field },
    );
  }
  const sha256 = sha256Hex(bytes);
  return { image: { sha256, mediaType, bytes: bytes.length, width, height, source: null }, bytes };
}

async function findSource(
  jobs: Jobs,
  tenant: string,
  { jobId, index: wanted }: Extract<SubmittedImage, { type: "job" }>,
  index: number,
): Promise<{ image: InputImage; bytes: null }> {
  const record = await jobs.read(jobId);
  if (!record || record.job.tenant !== tenant) {
    throw new DomainError("source_job_not_found", `Cannot use image ${index}: there is no job "${jobId}"`, {
      field: `images[${index}].job_id`,
    });
  }
  if (record.job.status !== "succeeded" || !record.result) {
    throw new DomainError(
      "source_job_not_succeeded",
      `Cannot use image ${index}: job "${jobId}" is ${record.job.status}; only a succeeded job has images`,
      { field: `images[${index}].job_id` },
    );
  }
  const source = record.result.images.find((image) => image.index === wanted);
  if (!source) {
    throw new DomainError(
      "image_not_found",
      `Cannot use image ${index}: job "${jobId}" has no image ${wanted}`,
      {
        field: `images[${index}].index`,
        allowed: record.result.images.map((image) => String(image.index)),
      },
    );
  }
  const { key, sha256, mediaType, bytes, width, height } = source;
  return {
    image: { sha256, mediaType, bytes, width, height, source: { jobId, index: wanted, key } },
    bytes: null,
  };
}
