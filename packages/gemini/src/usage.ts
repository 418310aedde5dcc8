import type { Usage } from "@plantain/core/model/pricing";
import * as z from "zod";

const Count = z.number().int().nonnegative().nullish().catch(null);

const Details = z
  .array(z.object({ modality: z.string().nullish().catch(null), tokenCount: Count }))
  .nullish()
  .catch(null);
type Details = z.infer<typeof Details>;

/** `usageMetadata` of a reply. Without the prompt's count, which is never 0, it tells nothing. */
export const UsageMetadata = z.object({
  promptTokenCount: z.number().int().nonnegative(),
  candidatesTokenCount: Count,
  thoughtsTokenCount: Count,
  totalTokenCount: Count,
  toolUsePromptTokenCount: Count,
  promptTokensDetails: Details,
  candidatesTokensDetails: Details,
});
export type UsageMetadata = z.infer<typeof UsageMetadata>;

/**
 * Tokens by what they are billed as. Where the details say less than the counts, the rest of the input is text, and the
 * rest of the output is the picture if there is one that the details don't name, else text.
 */
export function usageOf(metadata: UsageMetadata, hasImage: boolean): Usage {
  const prompt = metadata.promptTokenCount + (metadata.toolUsePromptTokenCount ?? 0);
  const inputImage = Math.min(prompt, tokensOf(metadata.promptTokensDetails, isImage));
  const output = outputTokens(metadata, prompt);
  const namedImage = tokensOf(metadata.candidatesTokensDetails, isImage);
  const namedText = tokensOf(metadata.candidatesTokensDetails, (modality) => !isImage(modality));
  const outputImage = hasImage && namedImage === 0 ? Math.max(0, output - namedText) : namedImage;
  return {
    inputText: prompt - inputImage,
    inputImage,
    outputText: Math.max(0, output - outputImage),
    outputImage,
    thinking: metadata.thoughtsTokenCount ?? 0,
  };
}

/** On refusals the candidates' count repeats the thoughts' at times; the total is right even then. */
function outputTokens(metadata: UsageMetadata, prompt: number): number {
  const { totalTokenCount } = metadata;
  const candidates = metadata.candidatesTokenCount ?? 0;
  if (typeof totalTokenCount !== "number" || totalTokenCount < prompt) return candidates;
  return Math.max(0, Math.min(candidates, totalTokenCount - prompt - (metadata.thoughtsTokenCount ?? 0)));
}

function tokensOf(details: Details, counts: (modality: string) => boolean): number {
  return (details ?? [])
    .filter(({ modality }) => counts(modality ?? ""))
    .reduce((sum, { tokenCount }) => sum + (tokenCount ?? 0), 0);
}

function isImage(modality: string): boolean {
  return modality === "IMAGE";
}
