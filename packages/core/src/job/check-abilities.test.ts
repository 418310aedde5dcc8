import { sampleRegistry } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { DomainError } from "../error.ts";
import { newJobId } from "../id.ts";
import { checkAbilities } from "./check-abilities.ts";
import type { Submission } from "./submission.ts";

const jobId = newJobId(0, new Uint8Array(10));
const model = (name: string) => sampleRegistry.choose(name).model;
const nothing: Submission = {
  model: null,
  prompt: "A banana",
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
const images = (count: number): Partial<Submission> => ({
  images: Array.from({ length: count }, () => ({ type: "job", jobId, index: null })),
});
const continued: Partial<Submission> = { continueFrom: { jobId, index: null } };

/** What is refused, or `null`. */
function refusal(name: string, asked: Partial<Submission>) {
  try {
    checkAbilities(model(name), { ...nothing, ...asked });
    return null;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const { code, message, field, allowed } = error;
    return { code, message, field, allowed };
  }
}

describe("what a model can do", () => {
  it.each<[string, string, Partial<Submission>]>([
    ["nano-banana", "anything left open", {}],
    ["nano-banana", "a classic ratio", { aspectRatio: "21:9" }],
    ["gemini-nano-banana-2.1", "an extreme ratio", { aspectRatio: "8:1" }],
    ["nano-banana-pro", "a size of its own", { imageSize: "4K" }],
    ["nano-banana-2-lite", "a thinking level of its own", { thinking: "high" }],
    ["nano-banana-pro", "a search of the web", { grounding: { web: true, images: false } }],
    ["gemini-nano-banana-2.1", "both searches", { grounding: { web: true, images: true } }],
    ["nano-banana", "three reference images", images(3)],
    ["nano-banana", "two and one to go on from", { ...images(2), ...continued }],
  ])("of %s: %s", (name, _what, asked) => {
    expect(refusal(name, asked)).toBeNull();
  });

  it.each<[string, Partial<Submission>, { message: string; field: string; allowed?: readonly string[] }]>([
    [
      "nano-banana-pro",
      { aspectRatio: "8:1" },
      {
        message: `Model "gemini-3-pro-image" can't make aspect ratio "8:1"`,
        field: "aspect_ratio",
        allowed: model("nano-banana-pro").aspectRatios,
      },
    ],
    [
      "nano-banana-pro",
      { imageSize: "512" },
      {
        message: `Model "gemini-3-pro-image" can't make image size "512"`,
        field: "image_size",
        allowed: ["1K", "2K", "4K"],
      },
    ],
    [
      "nano-banana",
      { imageSize: "1K" },
      {
        message: 'Model "gemini-2.5-flash-image" has one size of about 1K; leave image_size out',
        field: "image_size",
        allowed: [],
      },
    ],
    [
      "nano-banana-2-lite",
      { thinking: "medium" },
      {
        message: `Model "gemini-3.1-flash-lite-image" can't think "medium"`,
        field: "thinking",
        allowed: ["minimal", "high"],
      },
    ],
    [
      "nano-banana-pro",
      { thinking: "high" },
      {
        message: 'Model "gemini-3-pro-image" takes no thinking level; leave it out',
        field: "thinking",
        allowed: [],
      },
    ],
    [
      "nano-banana",
      { grounding: { web: true, images: false } },
      { message: `Model "gemini-2.5-flash-image" can't search the web`, field: "grounding.web" },
    ],
    [
      "nano-banana-pro",
      { grounding: { web: true, images: true } },
      { message: `Model "gemini-3-pro-image" can't search for images`, field: "grounding.images" },
    ],
    [
      "nano-banana",
      images(4),
      {
        message: 'Model "gemini-2.5-flash-image" takes at most 3 reference images; 4 were given',
        field: "images",
      },
    ],
    [
      "nano-banana",
      { ...images(3), ...continued },
      {
        message:
          'Model "gemini-2.5-flash-image" takes at most 3 reference images; 4 with the one to go on from were given',
        field: "images",
      },
    ],
  ])("isn't asked of %s beyond it: %o", (name, asked, expected) => {
    expect(refusal(name, asked)).toEqual({ code: "invalid_request", allowed: undefined, ...expected });
  });
});
