import { describe, expect, it } from "vitest";
import { models } from "./models.ts";
import { chooseModel, expectedPixels, modelNames } from "./registry.ts";

describe("the model registry", () => {
  it.each([
    ["nano-banana", "gemini-2.5-flash-image"],
    ["nano-banana-pro", "gemini-3-pro-image"],
    ["gemini-nano-banana-2.1", "gemini-nano-banana-2.1"],
    ["nano-banana-2.1", "gemini-nano-banana-2.1"],
  ])("knows %s as %s", (name, id) => {
    expect(chooseModel(name).model.id).toBe(id);
  });

  it("serves the id of a preview that was shut down, and says so", () => {
    const { model, warnings } = chooseModel("gemini-3-pro-image-preview");
    expect(model.id).toBe("gemini-3-pro-image");
    expect(warnings).toEqual([expect.stringContaining("was shut down on 2026-06-25")]);
  });

  it("says nothing about a model that is fine", () => {
    expect(chooseModel("nano-banana-pro").warnings).toEqual([]);
  });

  it("refuses an unknown name and lists what there is", () => {
    expect(() => chooseModel("dall-e")).toThrow('Unknown model "dall-e"');
    expect(modelNames()).toContain("nano-banana-pro");
  });

  it("has no name twice", () => {
    const names = models.flatMap(({ id, aliases }) => [id, ...aliases.map(({ name }) => name)]);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(models)("knows pixels and tokens for every size and ratio of $id", (model) => {
    const sizes = model.imageSizes.length > 0 ? model.imageSizes : [model.defaultSize];
    for (const size of sizes) {
      expect(model.imageTokens[size]).toBeGreaterThan(0);
      for (const ratio of model.aspectRatios) {
        const [width, height] = expectedPixels(model, size, ratio) ?? [0, 0];
        const [across = 0, down = 0] = ratio.split(":").map(Number);
        // Google's 512-pixel tier of 21:9 is documented as 792x168, which isn't 21:9
        if (size === "512" && ratio === "21:9") continue;
        expect(width / height / (across / down), `${size} ${ratio}`).toBeGreaterThan(0.94);
        expect(width / height / (across / down), `${size} ${ratio}`).toBeLessThan(1.06);
      }
    }
  });
});
