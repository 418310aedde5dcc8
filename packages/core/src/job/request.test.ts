import { sampleRequest } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { newJobId } from "../id.ts";
import { type InputImage, JobRequest, Safety, TurnRef } from "./request.ts";

const jobId = newJobId(0, new Uint8Array(10));
const image: InputImage = {
  sha256: "0123456789abcdef".repeat(4),
  mediaType: "image/webp",
  bytes: 7,
  width: 640,
  height: 480,
  source: { jobId, index: 1, key: "out/acme/job/1/1" },
};

/** A request with something in every field. */
const full = sampleRequest({
  images: [image, { ...image, source: null }],
  aspectRatio: "21:9",
  imageSize: "4K",
  count: 4,
  output: "image_and_text",
  thinking: "low",
  grounding: { web: true, images: true },
  safety: { harassment: "off", hate_speech: "block_none" },
  seed: -1,
  continueFrom: { jobId, index: 3 },
  continued: image,
  history: [{ jobId, index: 0, bytes: 1_000, images: 2 }],
  metadata: { order: "17" },
  warnings: ["Leave this model"],
  estimatedCost: null,
});

const parses = (about: object) => JobRequest.safeParse({ ...full, ...about }).success;

describe("a stored request", () => {
  it("is read as it was written", () => {
    expect(JobRequest.parse(JSON.parse(JSON.stringify(full)))).toEqual(full);
    expect(JobRequest.parse(sampleRequest())).toEqual(sampleRequest());
  });

  it.each([
    ["no images wanted", { count: 0 }],
    ["five images wanted", { count: 5 }],
    ["half an image wanted", { count: 1.5 }],
    ["a reference image whose hash is too short", { images: [{ ...image, sha256: "0".repeat(63) }] }],
    ["a reference image whose hash is too long", { images: [{ ...image, sha256: "0".repeat(65) }] }],
    ["a reference image whose hash isn't in lower case", { images: [{ ...image, sha256: "A".repeat(64) }] }],
    ["a reference image without bytes", { images: [{ ...image, bytes: 0 }] }],
    ["a reference image without width", { images: [{ ...image, width: 0 }] }],
    ["a reference image of another type", { images: [{ ...image, mediaType: "image/gif" }] }],
    ["a ratio that no model has", { aspectRatio: "7:3" }],
    ["a threshold that Gemini doesn't know", { safety: { harassment: "maybe" } }],
    ["a harm that Gemini doesn't know", { safety: { boredom: "off" } }],
    ["a turn that weighs nothing we know", { history: [{ jobId, index: 0 }] }],
    ["metadata that isn't text", { metadata: { order: 17 } }],
  ])("is refused with %s", (_name, about) => {
    expect(parses({})).toBe(true);
    expect(parses(about)).toBe(false);
  });

  it("names jobs by their ids, or is refused with the reason", () => {
    expect(() => TurnRef.parse({ jobId: "job_1", index: 0 })).toThrow("Not a job id");
  });

  it("leaves every harm that it doesn't name at Google's default", () => {
    expect(Safety.parse({})).toEqual({});
  });
});
