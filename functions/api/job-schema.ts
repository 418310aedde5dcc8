import type { Model } from "@plantain/core/model/model";
import * as z from "zod";
import { JobBody } from "./job-body.ts";

const whole = z.toJSONSchema(JobBody, { io: "input" });

/**
 * JSON Schema of what a job for this model accepts: the body of `POST /v1/jobs`, narrowed to what the model can do.
 * @param isDefault a job that names no model is for this one
 */
export function jobSchema(model: Model, isDefault: boolean) {
  const { properties = {}, ...schema } = whole;
  const { aspect_ratio: _, image_size: __, images, thinking: ___, grounding: ____, ...common } = properties;
  return {
    ...schema,
    title: `A job for ${model.title}`,
    required: isDefault ? [] : ["model"],
    anyOf: [{ required: ["prompt"] }, { required: ["images"], properties: { images: { minItems: 1 } } }],
    properties: {
      ...common,
      model: { enum: [model.id, ...model.aliases] },
      ...(typeof images === "object" ? { images: { ...images, maxItems: model.maxReferenceImages } } : {}),
      aspect_ratio: { enum: model.aspectRatios },
      ...(model.imageSizes.length > 0 ? { image_size: { enum: model.imageSizes } } : {}),
      ...(model.thinking.length > 0 ? { thinking: { enum: model.thinking } } : {}),
      grounding: {
        type: "object",
        properties: { web: flag(model.grounding.web), images: flag(model.grounding.images) },
        additionalProperties: false,
      },
    },
  };
}

/** What a model can't do may still be said not to be wanted. */
function flag(canDo: boolean) {
  return canDo ? { type: "boolean", default: false } : { const: false };
}
