import type { ThinkingLevel } from "./models.ts";
import { between, type Draw } from "./random.ts";
import type { TokenCount, Usage } from "./reply.ts";

/** Tokens of one call by what they are billed as; all 0 when nothing is billed. */
export type CostTokens = {
  inputText: number;
  inputImage: number;
  outputText: number;
  outputImage: number;
  thinking: number;
};

export const noTokens: CostTokens = {
  inputText: 0,
  inputImage: 0,
  outputText: 0,
  outputImage: 0,
  thinking: 0,
};

/** What one reference image costs at the input. */
const tokensPerInputImage = 258;

/** About four characters a token, at least one for any text. */
export function textTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** Input tokens of a prompt. */
export function inputTokens(
  texts: readonly string[],
  images: number,
): Pick<CostTokens, "inputText" | "inputImage"> {
  const inputText = texts.reduce((sum, text) => sum + textTokens(text), 0);
  return { inputText, inputImage: images * tokensPerInputImage };
}

/** How much a model thinks at a level, in tokens. */
export function thinkingTokens(level: ThinkingLevel, draw: Draw): number {
  switch (level) {
    case "MINIMAL":
      return between(draw, 20, 60);
    case "LOW":
      return between(draw, 50, 150);
    case "MEDIUM":
      return between(draw, 120, 400);
    case "HIGH":
      return between(draw, 200, 800);
  }
}

/**
 * `usageMetadata` as Google fills it: the total is prompt + candidates + thoughts; beside images the text of an answer is
 * in `candidatesTokenCount` but not in its details.
 */
export function usageOf(tokens: CostTokens): Usage {
  const promptTokenCount = tokens.inputText + tokens.inputImage;
  const candidatesTokenCount = tokens.outputText + tokens.outputImage;
  const output: TokenCount =
    tokens.outputImage > 0
      ? { modality: "IMAGE", tokenCount: tokens.outputImage }
      : { modality: "TEXT", tokenCount: tokens.outputText };
  return {
    promptTokenCount,
    ...(candidatesTokenCount > 0 ? { candidatesTokenCount } : {}),
    totalTokenCount: promptTokenCount + candidatesTokenCount + tokens.thinking,
    promptTokensDetails: promptDetails(tokens),
    ...(candidatesTokenCount > 0 ? { candidatesTokensDetails: [output] } : {}),
    ...(tokens.thinking > 0 ? { thoughtsTokenCount: tokens.thinking } : {}),
  };
}

/** Input tokens by modality, leaving out what is absent. */
export function promptDetails(tokens: Pick<CostTokens, "inputText" | "inputImage">): readonly TokenCount[] {
  const details: TokenCount[] = [
    { modality: "TEXT", tokenCount: tokens.inputText },
    { modality: "IMAGE", tokenCount: tokens.inputImage },
  ];
  return details.filter((detail) => detail.tokenCount > 0);
}
