import { DomainError } from "../error.ts";
import type { Model } from "../model/model.ts";
import type { Submission } from "./submission.ts";

/**
 * Refuses what a model can't do, before anything is stored or paid.
 * @throws DomainError `invalid_request`, naming the field and what the model can do
 */
export function checkAbilities(model: Model, submission: Submission): void {
  const { aspectRatio, imageSize, thinking, grounding } = submission;
  if (aspectRatio !== null && !model.aspectRatios.includes(aspectRatio)) {
    throw unable(model, `can't make aspect ratio "${aspectRatio}"`, "aspect_ratio", model.aspectRatios);
  }
  if (imageSize !== null && !model.imageSizes.includes(imageSize)) {
    const why =
      model.imageSizes.length === 0
        ? "has one size of about 1K; leave image_size out"
        : `can't make image size "${imageSize}"`;
    throw unable(model, why, "image_size", model.imageSizes);
  }
  if (thinking !== null && !model.thinking.includes(thinking)) {
    const why =
      model.thinking.length === 0 ? "takes no thinking level; leave it out" : `can't think "${thinking}"`;
    throw unable(model, why, "thinking", model.thinking);
  }
  if (grounding.web && !model.grounding.web) throw unable(model, "can't search the web", "grounding.web");
  if (grounding.images && !model.grounding.images) {
    throw unable(model, "can't search for images", "grounding.images");
  }
  const images = submission.images.length + (submission.continueFrom ? 1 : 0);
  if (images > model.maxReferenceImages) {
    const counted = submission.continueFrom ? `${images} with the one to go on from` : `${images}`;
    const why = `takes at most ${model.maxReferenceImages} reference images; ${counted} were given`;
    throw unable(model, why, "images");
  }
}

function unable(model: Model, why: string, field: string, allowed?: readonly string[]): DomainError {
  return new DomainError("invalid_request", `Model "${model.id}" ${why}`, {
    field,
    ...(allowed ? { allowed } : {}),
  });
}
