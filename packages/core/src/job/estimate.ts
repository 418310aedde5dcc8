import type { ImageSize, Model } from "../model/model.ts";
import { costOf } from "../model/pricing.ts";

/** Tokens that one reference image counts for at Gemini, and what a thinking model spends on thinking as a rule. */
const inputImageTokens = 258;
const thinkingTokens = 300;
const charactersPerToken = 4;

/** What a job is expected to cost if every image succeeds at the first try, in nanodollars; `null` if unpublished. */
export function estimateCost(
  model: Model,
  asked: { prompt: string; images: readonly unknown[]; imageSize: ImageSize | null; count: number },
): number | null {
  const outputImage = model.imageTokens[asked.imageSize ?? model.defaultSize];
  if (outputImage === undefined) return null;
  const one = costOf(model, {
    inputText: Math.ceil(asked.prompt.length / charactersPerToken),
    inputImage: asked.images.length * inputImageTokens,
    outputText: 0,
    outputImage,
    thinking: model.alwaysThinks ? thinkingTokens : 0,
  });
  return one === null ? null : one * asked.count;
}
