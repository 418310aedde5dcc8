import type { Model } from "../model/model.ts";
import { costOf } from "../model/pricing.ts";
import type { Registry } from "../model/registry.ts";
import { checkAbilities } from "./check-abilities.ts";
import type { Submission } from "./submission.ts";

/** Tokens that one reference image counts for at Gemini, and what a thinking model spends on thinking as a rule. */
const inputImageTokens = 258;
const thinkingTokens = 300;
const charactersPerToken = 4;

/** What a job is expected to cost if every image succeeds at the first try, in nanodollars; `null` if unpublished. */
export function estimateCost(model: Model, asked: Submission): number | null {
  const outputImage = model.imageTokens[asked.imageSize ?? model.defaultSize];
  if (outputImage === undefined) return null;
  const images = asked.images.length + (asked.continueFrom ? 1 : 0);
  const one = costOf(model, {
    inputText: Math.ceil(asked.prompt.length / charactersPerToken),
    inputImage: images * inputImageTokens,
    outputText: 0,
    outputImage,
    thinking: model.alwaysThinks ? thinkingTokens : 0,
  });
  return one === null ? null : one * asked.count;
}

export type Estimate = {
  readonly model: Model;
  readonly warnings: readonly string[];
  /** Nanodollars; `null` where a price isn't published. */
  readonly cost: number | null;
};

/**
 * What this job would cost, checked as if it were submitted; nothing is stored. Whether referenced jobs exist is not
 * looked at.
 * @throws DomainError as `submit` does
 */
export function estimate(registry: Registry, submission: Submission, defaultModel: string): Estimate {
  const { model, warnings } = registry.choose(submission.model ?? defaultModel);
  checkAbilities(model, submission);
  return { model, warnings, cost: estimateCost(model, submission) };
}
