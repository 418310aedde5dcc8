import { describe, expect, it } from "vitest";
import { expectedPixels, registryOf } from "./registry.ts";

const registry = registryOf({ retired: "serve", overrides: [] });

describe("the model registry", () => {
  it.each([
    ["nano-banana", "gemini-2.5-flash-image"],
    ["nano-banana-pro", "gemini-3-pro-image"],
    ["gemini-nano-banana-2.1", "gemini-nano-banana-2.1"],
    ["nano-banana-2.1", "gemini-nano-banana-2.1"],
  ])("knows %s as %s", (name, id) => {
    expect(registry.choose(name).model.id).toBe(id);
  });

  it("serves the id of a preview that was shut down, and says so", () => {
    const { model, warnings } = registry.choose("gemini-3-pro-image-preview");
    expect(model.id).toBe("gemini-3-pro-image");
    expect(warnings).toEqual([expect.stringContaining("was shut down on 2026-06-25")]);
  });

  it("says nothing about a model that is fine", () => {
    expect(registry.choose("nano-banana-pro").warnings).toEqual([]);
  });

  it("refuses the id of a model that was shut down where the stage says so, and names the successor", () => {
    const strict = registryOf({ retired: "refuse", overrides: [] });
    expect(() => strict.choose("gemini-3-pro-image-preview")).toThrow('use "gemini-3-pro-image"');
  });

  it("knows every id that Google has had, each once", () => {
    const ids = [...registry.models, ...registry.retired].map(({ id }) => id);
    expect(ids.toSorted()).toEqual([
      "gemini-2.5-flash-image",
      "gemini-3-pro-image",
      "gemini-3-pro-image-preview",
      "gemini-3.1-flash-image",
      "gemini-3.1-flash-image-preview",
      "gemini-3.1-flash-lite-image",
      "gemini-nano-banana-2.1",
    ]);
  });

  it("refuses an unknown name and lists what there is", () => {
    expect(() => registry.choose("dall-e")).toThrow('There is no model of this name: "dall-e"');
  });

  it("has no name twice", () => {
    const names = registry.models.flatMap(({ id, aliases }) => [id, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(registry.models)("knows pixels and tokens for every size and ratio of $id", (model) => {
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

describe("a stage's changes to the registry", () => {
  it("change what they name and leave the rest", () => {
    const prices = { input: 0.25, textOutput: 1.5, imageOutput: 30 };
    const { models } = registryOf({
      retired: "serve",
      overrides: [{ id: "gemini-3.1-flash-lite-image", prices }],
    });
    const lite = models.find(({ id }) => id === "gemini-3.1-flash-lite-image");
    expect(lite).toMatchObject({ prices, title: "Nano Banana 2 Lite" });
    expect(models).toHaveLength(registry.models.length);
  });

  it("add a model that is like another", () => {
    const added = registryOf({
      retired: "serve",
      overrides: [{ id: "gemini-4-pro-image", like: "gemini-3-pro-image", title: "Next", aliases: ["next"] }],
    });
    expect(added.choose("next").model).toMatchObject({
      id: "gemini-4-pro-image",
      imageSizes: ["1K", "2K", "4K"],
    });
    expect(added.choose("nano-banana-pro").model.id).toBe("gemini-3-pro-image");
  });

  it("retire a model, whose jobs its successor serves", () => {
    const change = { id: "gemini-2.5-flash-image", status: "retired" } as const;
    const { model, warnings } = registryOf({ retired: "serve", overrides: [change] }).choose("nano-banana");
    expect(model.id).toBe("gemini-nano-banana-2.1");
    expect(warnings).toEqual(['Model "nano-banana" is retired; "gemini-nano-banana-2.1" serves this job']);
    const strict = registryOf({ retired: "refuse", overrides: [change] });
    expect(() => strict.choose("nano-banana")).toThrow('use "gemini-nano-banana-2.1"');
  });

  it.each([
    [
      "the id of a model that was shut down",
      { id: "gemini-3-pro-image-preview", like: "gemini-3-pro-image" },
      "preview",
    ],
    ["a new model with nothing to be like", { id: "x", title: "X" }, "like"],
    [
      "a name that another model bears",
      { id: "x", like: "gemini-3-pro-image", aliases: ["nano-banana"] },
      "nano-banana",
    ],
  ])("are refused at the start: %s", (_name, override, named) => {
    expect(() => registryOf({ retired: "serve", overrides: [override] })).toThrow(named);
  });
});
