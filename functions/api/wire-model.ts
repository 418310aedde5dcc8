import type { Model, RetiredModel } from "@plantain/core/model/model";
import { pricingVersion } from "@plantain/core/model/models";

/** A model as `/v1/models` shows it. Prices are US dollars per million tokens; `null` is one that isn't published. */
export function wireModel(model: Model) {
  const { input, textOutput, imageOutput } = model.prices;
  return {
    id: model.id,
    object: "model",
    title: model.title,
    aliases: model.aliases,
    status: model.status,
    notice: model.notice,
    successor: model.successor,
    aspect_ratios: model.aspectRatios,
    image_sizes: model.imageSizes,
    pixels: model.pixels,
    max_reference_images: model.maxReferenceImages,
    thinking: model.thinking,
    always_thinks: model.alwaysThinks,
    grounding: model.grounding,
    input_types: model.inputTypes,
    prices: {
      currency: "USD",
      unit: "1M tokens",
      input,
      text_output: textOutput,
      image_output: imageOutput,
      tiers: model.tiers,
      image_tokens: model.imageTokens,
      pricing_version: pricingVersion,
    },
  };
}

export function wireRetired({ id, successor, since }: RetiredModel) {
  return { id, object: "model", status: "retired", successor, retired_on: since };
}
