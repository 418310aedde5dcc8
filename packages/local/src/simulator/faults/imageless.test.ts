import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateWith, prompted } from "../client-for-tests.ts";
import { type Simulator, startSimulator } from "../simulator.ts";
import { imagelessFaults } from "./imageless.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());

const stamped = { modelVersion: "gemini-3-pro-image", responseId: expect.any(String) };
const counted = {
  usageMetadata: { promptTokenCount: expect.any(Number), totalTokenCount: expect.any(Number) },
};
const ratings = expect.arrayContaining([expect.objectContaining({ blocked: true })]);

/** For each marker the exact candidate or body that must come back. */
const shapes: Readonly<Record<string, object>> = {
  IMAGE_OTHER: {
    candidates: [
      {
        content: {},
        finishReason: "IMAGE_OTHER",
        index: 0,
        finishMessage:
          "Unable to show the generated image. The model could not generate the image based on the prompt provided. You will not be charged for this request. Try rephrasing the prompt.",
      },
    ],
  },
  IMAGE_PROHIBITED_CONTENT: {
    candidates: [
      {
        content: { role: "model" },
        finishReason: "IMAGE_PROHIBITED_CONTENT",
        index: 0,
        finishMessage: expect.stringMatching(/third-party content providers.*Support code: 355/),
      },
    ],
  },
  IMAGE_SAFETY: {
    candidates: [
      {
        content: {},
        finishReason: "IMAGE_SAFETY",
        index: 0,
        finishMessage: expect.stringContaining("Prohibited Use policy"),
      },
    ],
  },
  "IMAGE_SAFETY:null": {
    candidates: [{ content: { parts: null }, finishReason: "IMAGE_SAFETY", index: 0 }],
  },
  NO_IMAGE: { candidates: [{ finishReason: "NO_IMAGE", index: 0 }] },
  NO_IMAGE_TEXT: {
    candidates: [
      {
        content: { parts: [{ text: expect.stringContaining("A fox") }], role: "model" },
        finishReason: "NO_IMAGE",
        index: 0,
      },
    ],
  },
  TEXT_ONLY: {
    candidates: [
      {
        content: { parts: [{ text: expect.stringContaining("can't") }], role: "model" },
        finishReason: "STOP",
        index: 0,
      },
    ],
  },
  IMAGE_RECITATION: { candidates: [{ content: {}, finishReason: "IMAGE_RECITATION", index: 0 }] },
  RECITATION: { candidates: [{ content: {}, finishReason: "RECITATION", index: 0 }] },
  PROHIBITED_CONTENT: {
    candidates: [{ content: {}, finishReason: "PROHIBITED_CONTENT", index: 0, safetyRatings: ratings }],
  },
  SAFETY: { candidates: [{ content: {}, finishReason: "SAFETY", index: 0, safetyRatings: ratings }] },
  MALFORMED_FUNCTION_CALL: {
    candidates: [{ content: {}, finishReason: "MALFORMED_FUNCTION_CALL", index: 0 }],
  },
  MALFORMED_RESPONSE: { candidates: [{ content: {}, finishReason: "MALFORMED_RESPONSE", index: 0 }] },
  OTHER: { candidates: [{ content: {}, finishReason: "OTHER", index: 0 }] },
  UNKNOWN_FINISH: { candidates: [{ content: {}, finishReason: "ESCALATION", index: 0 }] },
  "UNKNOWN_FINISH:MISSING_THOUGHT_SIGNATURE": {
    candidates: [{ content: {}, finishReason: "MISSING_THOUGHT_SIGNATURE", index: 0 }],
  },
  MAX_TOKENS: {
    candidates: [{ content: { role: "model" }, finishReason: "MAX_TOKENS", index: 0 }],
    usageMetadata: expect.objectContaining({
      candidatesTokenCount: 0,
      thoughtsTokenCount: expect.any(Number),
    }),
  },
  EMPTY_CANDIDATES: { candidates: [] },
  NULL_CANDIDATES: { candidates: null },
};

describe("an answer without an image", () => {
  it.each(Object.entries(shapes))("has the shape of %s", async (marker, shape) => {
    const reply = await generateWith(
      simulator.url,
      "gemini-3-pro-image",
      prompted(`A fox [[sim:${marker}]]`),
    );
    expect(reply.status).toBe(200);
    const usage = { usageMetadata: expect.objectContaining(counted.usageMetadata) };
    expect(reply.json()).toEqual({ ...usage, ...stamped, ...shape });
  });

  it("is the body {} for EMPTY_BODY", async () => {
    const reply = await generateWith(simulator.url, "gemini-3-pro-image", prompted("[[sim:EMPTY_BODY]]"));
    expect([reply.status, reply.json()]).toEqual([200, {}]);
  });

  it.each([
    ["PROMPT_BLOCKED", { blockReason: "PROHIBITED_CONTENT" }, { totalTokenCount: expect.any(Number) }],
    ["PROMPT_BLOCKED:IMAGE_SAFETY", { blockReason: "IMAGE_SAFETY" }, { totalTokenCount: expect.any(Number) }],
    ["PROMPT_BLOCKED:OTHER", { blockReason: "OTHER", safetyRatings: [] }, { candidatesTokenCount: 0 }],
  ])("has prompt feedback and no candidates for %s", async (marker, promptFeedback, usage) => {
    const reply = await generateWith(
      simulator.url,
      "gemini-3-pro-image",
      prompted(`A fox [[sim:${marker}]]`),
    );
    expect(reply.json()).toEqual({
      promptFeedback,
      usageMetadata: { promptTokenCount: 2, promptTokensDetails: [expect.anything()], ...usage },
      ...stamped,
    });
  });

  it("is tested here for every row of the table", () => {
    const tested = new Set([...Object.keys(shapes).map((marker) => marker.split(":")[0]), "EMPTY_BODY"]);
    const missing = imagelessFaults.filter(({ name }) => !tested.has(name) && name !== "PROMPT_BLOCKED");
    expect(missing).toEqual([]);
  });

  it("is billed only where text or thoughts were produced", async () => {
    simulator.reset();
    for (const { name } of imagelessFaults) {
      await generateWith(simulator.url, "gemini-3-pro-image", prompted(`[[sim:${name}]]`));
    }
    const billed = simulator.ledger().calls.filter((call) => call.billed);
    expect(billed.map((call) => call.fault)).toEqual(["NO_IMAGE_TEXT", "TEXT_ONLY", "MAX_TOKENS"]);
    expect(billed.every((call) => call.costTokens.outputImage === 0 && call.images === 0)).toBe(true);
    expect(billed.every((call) => call.costTokens.outputText + call.costTokens.thinking > 0)).toBe(true);
  });
});
