import { describe, expect, it } from "vitest";
import { failureClasses } from "./failure.ts";
import { Outcome, Result } from "./outcome.ts";

const image = {
  index: 1,
  fence: 2,
  key: "out/acme/job/2/1",
  mediaType: "image/png",
  width: 1024,
  height: 768,
  bytes: 1_000,
  sha256: "0".repeat(64),
  usedHistory: false,
};
const link = { page: "https://example.com", title: "Example", domain: null };
const drawn = {
  type: "image",
  image,
  text: "Here it is",
  grounding: {
    webQueries: ["banana"],
    imageQueries: [],
    pages: [link],
    pictures: [{ ...link, picture: null }],
    widgets: ["<div></div>"],
  },
  parts: [
    { type: "text", text: "Here it is", signature: "s0" },
    { type: "image", key: "out/acme/job/2/1", mediaType: "image/png", signature: null },
  ],
  fetched: [
    { url: "https://example.com/cat", sha256: "00", mediaType: "image/png", bytes: 9, width: 3, height: 2 },
  ],
  historyUnused: null,
  upstream: { status: 200, finishReason: "STOP" },
  cost: 136_810_000,
  usage: { inputText: 5, inputImage: 0, outputText: 0, outputImage: 1_120, thinking: 200 },
};
const refused = (code: unknown) => ({
  type: "refused",
  index: 0,
  failure: { code, message: "Refused", billed: "no", upstream: { message: "No" }, retryAfterMs: 5 },
  cost: null,
  usage: null,
});
const result = { images: [image], text: null, grounding: null, fetched: drawn.fetched, warnings: [] };

describe("a stored outcome", () => {
  it("of an image is read as it was written", () => {
    expect(Outcome.parse(JSON.parse(JSON.stringify(drawn)))).toEqual(drawn);
  });

  it.each(Object.keys(failureClasses))("may be a refusal for %s", (code) => {
    expect(Outcome.parse(refused(code))).toEqual(refused(code));
  });

  it.each([
    ["a refusal for nothing on our list", refused("bad_mood")],
    ["a refusal for a name that every object has", refused("toString")],
    ["a refusal for what isn't a name", refused(["no_image"])],
    ["neither image nor refusal", { ...drawn, type: "maybe" }],
    ["an image of no attempt", { ...drawn, image: { ...image, fence: 0 } }],
    ["an image of no size", { ...drawn, image: { ...image, height: 0 } }],
    ["an image that wasn't measured whole", { ...drawn, image: { ...image, width: 10.5 } }],
    ["a negative count of tokens", { ...drawn, usage: { ...drawn.usage, thinking: -1 } }],
    ["a part of another kind", { ...drawn, parts: [{ type: "sound", signature: null }] }],
  ])("is never %s", (_name, stored) => {
    expect(Outcome.safeParse(stored).success).toBe(false);
  });
});

describe("a result", () => {
  it("has an image at least", () => {
    expect(Result.parse(result)).toEqual(result);
    expect(Result.safeParse({ ...result, images: [] }).success).toBe(false);
  });
});
