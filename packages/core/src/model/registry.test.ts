import { describe, expect, it } from "vitest";
import { DomainError } from "../error.ts";
import { expectedPixels, registryOf } from "./registry.ts";

const registry = registryOf({ retired: "serve", overrides: [] });

/** What a choice was refused with, or else what it gave. */
function refusal(choose: () => unknown): unknown {
  try {
    return choose();
  } catch (error) {
    return error;
  }
}

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
    expect(warnings).toEqual([
      'Model "gemini-3-pro-image-preview" was shut down on 2026-06-25; "gemini-3-pro-image" serves this job',
    ]);
  });

  it("passes on what there is to know of the successor", () => {
    const { warnings } = registry.choose("gemini-3.1-flash-image-preview");
    expect(warnings).toEqual([
      expect.stringContaining('"gemini-3.1-flash-image" serves this job'),
      registry.find("gemini-3.1-flash-image")?.notice,
    ]);
  });

  it("warns of a model that should be left", () => {
    expect(registry.choose("nano-banana").warnings).toEqual([registry.find("nano-banana")?.notice]);
  });

  it("says nothing about a model that is fine", () => {
    expect(registry.choose("nano-banana-pro").warnings).toEqual([]);
  });

  it("refuses the id of a model that was shut down where the stage says so, and names the successor", () => {
    const strict = registryOf({ retired: "refuse", overrides: [] });
    expect(refusal(() => strict.choose("gemini-3-pro-image-preview"))).toMatchObject({
      code: "unknown_model",
      message:
        'This model was shut down on 2026-06-25; use "gemini-3-pro-image": "gemini-3-pro-image-preview"',
      field: "model",
    });
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
    const error = refusal(() => registry.choose("dall-e"));
    expect(error).toBeInstanceOf(DomainError);
    expect(error).toMatchObject({
      code: "unknown_model",
      message: 'There is no model of this name: "dall-e"',
      field: "model",
      allowed: registry.models.flatMap(({ id, aliases }) => [id, ...aliases]),
    });
  });

  it("finds a model again by the id or alias that a job was given, and none that it doesn't know", () => {
    expect(registry.find("nano-banana-pro")?.id).toBe("gemini-3-pro-image");
    expect(registry.find("gemini-3-pro-image")?.id).toBe("gemini-3-pro-image");
    expect(registry.find("gemini-3-pro-image-preview")).toBeNull();
  });

  it("expects no pixels where the reference images decide, or of a size that the model hasn't", () => {
    const { model } = registry.choose("nano-banana");
    expect(expectedPixels(model, null, null)).toBeUndefined();
    expect(expectedPixels(model, null, "16:9")).toEqual([1344, 768]);
    expect(expectedPixels(model, "4K", "16:9")).toBeUndefined();
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
    expect(lite).toMatchObject({ prices, title: "Nano Banana 2 Lite", aliases: ["nano-banana-2-lite"] });
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
    expect(added.models).toHaveLength(registry.models.length + 1);
  });

  it("build on each other, in order", () => {
    const { models } = registryOf({
      retired: "serve",
      overrides: [
        { id: "next", like: "gemini-3-pro-image", title: "Next" },
        { id: "next", maxReferenceImages: 5 },
      ],
    });
    expect(models.filter(({ id }) => id === "next")).toMatchObject([
      { title: "Next", maxReferenceImages: 5, aliases: [] },
    ]);
  });

  it("retire a model, whose jobs its successor serves", () => {
    const change = { id: "gemini-2.5-flash-image", status: "retired" } as const;
    const { model, warnings } = registryOf({ retired: "serve", overrides: [change] }).choose("nano-banana");
    expect(model.id).toBe("gemini-nano-banana-2.1");
    expect(warnings).toEqual(['Model "nano-banana" is retired; "gemini-nano-banana-2.1" serves this job']);
    const strict = registryOf({ retired: "refuse", overrides: [change] });
    expect(() => strict.choose("nano-banana")).toThrow(
      'This model is retired; use "gemini-nano-banana-2.1": "nano-banana"',
    );
  });

  it("leave no model to serve a job whose model and successor are both retired, or whose model has none", () => {
    const { choose } = registryOf({
      retired: "serve",
      overrides: [
        { id: "gemini-2.5-flash-image", status: "retired" },
        { id: "gemini-nano-banana-2.1", status: "retired" },
        { id: "gemini-3-pro-image", status: "retired" },
      ],
    });
    for (const name of ["nano-banana", "nano-banana-2.1", "gemini-3-pro-image-preview"]) {
      expect(() => choose(name), name).toThrow(`There is no model of this name: "${name}"`);
    }
  });

  it("leave no model to serve a job whose successor is unknown", () => {
    const change = { id: "gemini-2.5-flash-image", status: "retired", successor: "gone" } as const;
    const { choose } = registryOf({ retired: "serve", overrides: [change] });
    expect(() => choose("nano-banana")).toThrow("There is no model of this name");
  });

  it.each([
    [
      "the id of a model that was shut down",
      { id: "gemini-3-pro-image-preview", like: "gemini-3-pro-image" },
      'two models are called "gemini-3-pro-image-preview"',
    ],
    [
      "a new model with nothing to be like",
      { id: "x", title: "X" },
      /^Cannot use the model override "x": aliases: [^;]+; status: .*; name a model to be `like`, or give all$/,
    ],
    [
      "a model like one that isn't there",
      { id: "x", like: "gone", title: "X" },
      /^Cannot use the model override "x": status: /,
    ],
    [
      "a number that makes no sense",
      { id: "gemini-3-pro-image", prices: { input: -1, textOutput: 1, imageOutput: 1 } },
      "prices.input: ",
    ],
    [
      "a name that another model bears",
      { id: "x", like: "gemini-3-pro-image", aliases: ["nano-banana"] },
      'two models are called "nano-banana"',
    ],
  ])("are refused at the start: %s", (_name, override, named) => {
    expect(() => registryOf({ retired: "serve", overrides: [override] })).toThrow(named);
  });
});
