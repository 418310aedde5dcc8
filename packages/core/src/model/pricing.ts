import type { Model } from "./model.ts";

/** Tokens of one or more calls, by modality. Thinking is billed as text, and told apart all the same. */
export type Usage = {
  readonly inputText: number;
  readonly inputImage: number;
  readonly outputText: number;
  readonly outputImage: number;
  readonly thinking: number;
};

export const noUsage: Usage = { inputText: 0, inputImage: 0, outputText: 0, outputImage: 0, thinking: 0 };

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputText: a.inputText + b.inputText,
    inputImage: a.inputImage + b.inputImage,
    outputText: a.outputText + b.outputText,
    outputImage: a.outputImage + b.outputImage,
    thinking: a.thinking + b.thinking,
  };
}

/** One US dollar; costs are whole nanodollars, so that sums are exact. */
export const nanodollars = 1_000_000_000;

/** What these tokens cost in nanodollars, or `null` where a price that counts is not published. */
export function costOf(model: Model, usage: Usage): number | null {
  const { input, textOutput, imageOutput } = model.prices;
  const text = usage.outputText + usage.thinking;
  if (text > 0 && textOutput === null) return null;
  return (
    priced(usage.inputText + usage.inputImage, input) +
    priced(text, textOutput ?? 0) +
    priced(usage.outputImage, imageOutput)
  );
}

function priced(tokens: number, dollarsPerMillion: number): number {
  return Math.round(tokens * dollarsPerMillion * 1000);
}

/** A cost as the wire shows it: US dollars with six decimals, rounded half up. */
export function dollars(cost: number): string {
  const micros = Math.round(cost / 1000);
  return `${Math.trunc(micros / 1_000_000)}.${String(micros % 1_000_000).padStart(6, "0")}`;
}
