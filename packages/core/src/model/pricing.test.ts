import { describe, expect, it } from "vitest";
import { addUsage, costOf, dollars, nanodollars, noUsage } from "./pricing.ts";
import { registryOf } from "./registry.ts";

const registry = registryOf({ retired: "serve", overrides: [] });

/** Google's published prices per image, US dollars. */
const published = [
  ["gemini-nano-banana-2.1", "1K", 0.0336],
  ["gemini-nano-banana-2.1", "2K", 0.0504],
  ["gemini-nano-banana-2.1", "4K", 0.113],
  ["gemini-3-pro-image", "1K", 0.134],
  ["gemini-3-pro-image", "2K", 0.134],
  ["gemini-3-pro-image", "4K", 0.24],
  ["gemini-3.1-flash-lite-image", "1K", 0.0336],
  ["gemini-3.1-flash-image", "512", 0.045],
  ["gemini-3.1-flash-image", "1K", 0.067],
  ["gemini-3.1-flash-image", "2K", 0.101],
  ["gemini-3.1-flash-image", "4K", 0.151],
  ["gemini-2.5-flash-image", "1K", 0.039],
] as const;

describe("cost", () => {
  it.each(published)("of one image of %s at %s is the published $%f", (name, size, price) => {
    const { model } = registry.choose(name);
    const cost = costOf(model, { ...noUsage, outputImage: model.imageTokens[size] ?? 0 }) ?? 0;
    expect(Math.abs(cost / 1e9 - price)).toBeLessThan(0.0006);
  });

  it("counts text and thinking at the text price, beside input and images", () => {
    const { model } = registry.choose("nano-banana-pro");
    const usage = { inputText: 1_000, inputImage: 258, outputText: 100, outputImage: 1_120, thinking: 200 };
    expect(dollars(costOf(model, usage) ?? 0)).toBe("0.140516"); // 1258 x $2 + 300 x $12 + 1120 x $120, per million
  });

  it("is whole nanodollars, each modality rounded by itself", () => {
    const { model } = registry.choose("nano-banana-pro");
    const prices = { input: 0.0004, textOutput: 0.0006, imageOutput: 0.0005 };
    const one = { inputText: 1, inputImage: 0, outputText: 1, outputImage: 1, thinking: 0 };
    expect(costOf({ ...model, prices }, one)).toBe(0 + 1 + 1);
  });

  it("is null, never 0, where a price that counts isn't published", () => {
    const { model } = registry.choose("gemini-3.1-flash-lite-image");
    expect(costOf(model, { ...noUsage, thinking: 1 })).toBeNull();
    expect(costOf(model, { ...noUsage, outputText: 1 })).toBeNull();
    expect(costOf(model, { ...noUsage, outputImage: 1_120 })).toBe(33_600_000);
  });

  it.each([
    [0, "0.000000"],
    [499, "0.000000"],
    [500, "0.000001"],
    [134_400_000, "0.134400"],
    [12_000_000_000, "12.000000"],
    [nanodollars, "1.000000"],
    [1_999_999_499, "1.999999"],
  ])("of %i nanodollars is shown as %s", (cost, text) => {
    expect(dollars(cost)).toBe(text);
  });
});

describe("usage", () => {
  it("adds up by modality", () => {
    const a = { inputText: 1, inputImage: 2, outputText: 3, outputImage: 4, thinking: 5 };
    const b = { inputText: 10, inputImage: 20, outputText: 30, outputImage: 40, thinking: 50 };
    const sum = { inputText: 11, inputImage: 22, outputText: 33, outputImage: 44, thinking: 55 };
    expect(addUsage(a, b)).toEqual(sum);
    expect(addUsage(a, noUsage)).toEqual(a);
  });
});
