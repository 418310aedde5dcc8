import { findImage } from "../conversation/find-image.ts";
import { DomainError } from "../error.ts";
import { sha256Hex } from "../hash.ts";
import { mediaTypes } from "../image/inspect.ts";
import { examineInput } from "./examine-input.ts";
import type { Jobs } from "./ports.ts";
import type { InputImage, LinkedImage } from "./request.ts";
import type { SubmittedImage } from "./submission.ts";

/**
 * What a job keeps of a reference image, with its bytes where the caller sent them. A URL is kept as it is: a worker
 * fetches what it leads to.
 * @param index its place in the request, for the field that a refusal names
 * @throws DomainError when the image can't be used, with the reason
 */
export async function acceptImage(
  jobs: Jobs,
  tenant: string,
  image: SubmittedImage,
  index: number,
): Promise<{ image: InputImage; bytes: Uint8Array | null } | { image: LinkedImage; bytes: null }> {
  if (image.type === "data") return inspectInput(image, index);
  if (image.type === "url") return { image: { url: image.url }, bytes: null };
  const field = `images[${index}]`;
  const found = await findImage(jobs, tenant, image, `${field}.job_id`, `${field}.index`);
  return { image: found.image, bytes: null };
}

function inspectInput(
  { bytes, mediaType: declared }: Extract<SubmittedImage, { type: "data" }>,
  index: number,
): { image: InputImage; bytes: Uint8Array } {
  const field = `images[${index}].data`;
  const found = examineInput([bytes]);
  if ("unfit" in found) {
    const message = `Cannot use image ${index}: ${found.reason}`;
    if (found.unfit === "too_large") throw new DomainError("image_too_large", message, { field });
    throw new DomainError("invalid_image", message, { field, allowed: mediaTypes });
  }
  const { mediaType, width, height } = found;
  if (declared !== null && declared !== mediaType) {
    throw new DomainError(
      "invalid_image",
      `Cannot use image ${index}: it is called ${declared}, but by its bytes it is ${mediaType}`,
      { field: `images[${index}].media_type`, allowed: [mediaType] },
    );
  }
  const sha256 = sha256Hex(bytes);
  return { image: { sha256, mediaType, bytes: bytes.length, width, height, source: null }, bytes };
}
