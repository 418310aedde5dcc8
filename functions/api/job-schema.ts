import type { Model } from "@plantain/core/model/model";
import * as z from "zod";
import { JobBody } from "./job-body.ts";

const whole = z.toJSONSchema(JobBody, { io: "input" });

/** JSON Schema of what a job for this model accepts: the body of `POST /v1/jobs`, narrowed to what the model can do. */
export function jobSchema(model: Model) {
  const { properties = {}, ...schema } = whole;
  const { aspect_ratio: _, image_size: __, images, thinking: ___, grounding: ____, ...common } = properties;
  return {
    ...schema,
    title: `A job for ${model.title}`,
    properties: {
      ...common,
      model: { enum: [model.id, ...model.aliases] },
      ...(typeof images === "object" ? { images: { ...images, maxItems: model.maxReferenceImages } } : {}),
      aspect_ratio: { enum: model.aspectRatios },
      ...(model.imageSizes.length > 0 ? { image_size: { enum: model.imageSizes } } : {}),
      ...(model.thinking.length > 0 ? { thinking: { enum: model.thinking } } : {}),
      ...(model.grounding.web || model.grounding.images ? { grounding: groundingSchema(model) } : {}),
    },
  };
}

function groundingSchema({ grounding }: Model) {
  const kinds = Object.entries(grounding).filter(([, canDo]) => canDo);
  return {
    type: "object",
    properties: Object.fromEntries(kinds.map(([kind]) => [kind, { type: "boolean", default: false }])),
    additionalProperties: false,
  };
}
