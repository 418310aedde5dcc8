import { sampleRegistry } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { newJobId } from "../id.ts";
import { estimate, estimateCost } from "./estimate.ts";
import type { Submission } from "./submission.ts";

const jobId = newJobId(0, new Uint8Array(10));
const asked: Submission = {
  model: "nano-banana-pro",
  prompt: "p".repeat(400),
  images: [],
  aspectRatio: null,
  imageSize: null,
  count: 1,
  output: "image",
  thinking: null,
  grounding: { web: false, images: false },
  safety: {},
  seed: null,
  continueFrom: null,
  deadlineMs: 1_800_000,
  metadata: {},
  webhook: null,
};

const estimated = (about: Partial<Submission>) =>
  estimate(sampleRegistry, { ...asked, ...about }, "nano-banana").cost;

describe("an estimate", () => {
  it("adds up prompt, thinking and picture at the model's prices", () => {
    // 100 tokens x $2 + 300 of thinking x $12 + 1120 x $120, per million
    expect(estimated({})).toBe(200_000 + 3_600_000 + 134_400_000);
  });

  it("counts a token that is begun", () => {
    expect(estimated({ prompt: "p".repeat(401) })).toBe(202_000 + 3_600_000 + 134_400_000);
  });

  it("counts 258 tokens for each reference image and for the one to go on from", () => {
    const image = { type: "job", jobId, index: null } as const;
    const alone = estimated({}) ?? 0;
    expect(estimated({ images: [image, image] })).toBe(alone + 2 * 258 * 2_000);
    expect(estimated({ images: [image], continueFrom: image })).toBe(alone + 2 * 258 * 2_000);
  });

  it("is for as many images as are wanted, at the size that is wanted", () => {
    expect(estimated({ count: 3 })).toBe(3 * (estimated({}) ?? 0));
    // 2000 x $120 per million in place of 1120
    expect(estimated({ imageSize: "4K" })).toBe(200_000 + 3_600_000 + 240_000_000);
  });

  it("has no thinking where the model doesn't think", () => {
    // 100 x $0.30 + 1290 x $30, per million
    expect(estimated({ model: "nano-banana" })).toBe(30_000 + 38_700_000);
  });

  it("is null, never a guess, where a price or the tokens of a size aren't published", () => {
    expect(estimated({ model: "nano-banana-2-lite", count: 2 })).toBeNull();
    const { model } = sampleRegistry.choose("nano-banana");
    expect(estimateCost(model, { ...asked, imageSize: "4K" })).toBeNull();
  });

  it("is of the default model where none is named, with what there is to know of the choice", () => {
    const { model, warnings } = estimate(sampleRegistry, { ...asked, model: null }, "nano-banana");
    expect(model.id).toBe("gemini-2.5-flash-image");
    expect(warnings).toEqual([expect.stringContaining("at the end of its life")]);
  });

  it("is refused as the job would be", () => {
    expect(() => estimated({ aspectRatio: "8:1" })).toThrow(`can't make aspect ratio "8:1"`);
    expect(() => estimated({ model: "dall-e" })).toThrow("There is no model of this name");
  });
});
