import { findImage } from "../conversation/find-image.ts";
import { DomainError } from "../error.ts";
import { sha256Hex } from "../hash.ts";
import { inspect, mediaTypes } from "../image/inspect.ts";
import type { Jobs } from "./ports.ts";
import type { InputImage } from "./request.ts";
import type { SubmittedImage } from "./submission.ts";

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
  if (image.type === "data") return inspectInput(image, index);
  const field = `images[${index}]`;
  const found = await findImage(jobs, tenant, image, `${field}.job_id`, `${field}.index`);
  return { image: found.image, bytes: null };
}

function inspectInput(
  { bytes, mediaType: declared }: Extract<SubmittedImage, { type: "data" }>,
  index: number,
): { image: InputImage; bytes: Uint8Array } {
  const field = `images[${index}].data`;
  const found = inspect([bytes]);
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
