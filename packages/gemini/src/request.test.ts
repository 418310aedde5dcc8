import type { ModelCall } from "@plantain/core/job/ports";
import { expect, test } from "vitest";
import { requestOf } from "./request.ts";

const call: ModelCall = {
  model: "gemini-nano-banana-2.1",
  key: "first",
  history: [],
  prompt: "A banana on Mars",
  images: [],
  aspectRatio: null,
  imageSize: null,
  output: "image",
  thinking: null,
  grounding: { web: false, images: false },
  safety: {},
  seed: null,
};

test("a bare prompt asks for a picture and nothing else", () => {
  expect(requestOf(call)).toEqual({
    model: "gemini-nano-banana-2.1",
    contents: [{ role: "user", parts: [{ text: "A banana on Mars" }] }],
    config: { responseModalities: ["IMAGE"], automaticContinuation: false },
  });
});

test("only what was chosen is said of the picture", () => {
  expect(requestOf({ ...call, aspectRatio: "16:9" }).config.imageConfig).toEqual({ aspectRatio: "16:9" });
  expect(requestOf({ ...call, imageSize: "2K" }).config.imageConfig).toEqual({ imageSize: "2K" });
});

test("a caption is asked for by modality", () => {
  expect(requestOf({ ...call, output: "image_and_text" }).config.responseModalities).toEqual([
    "TEXT",
    "IMAGE",
  ]);
});

test("reference images come before the prompt, in their order", () => {
  const file = new Uint8Array([0, 1, 2, 3, 4]);
  const request = requestOf({
    ...call,
    images: [
      { mediaType: "image/png", bytes: file.subarray(1, 4) },
      { mediaType: "image/webp", bytes: file },
    ],
  });
  expect(request.contents).toEqual([
    {
      role: "user",
      parts: [
        { inlineData: { mimeType: "image/png", data: "AQID" } },
        { inlineData: { mimeType: "image/webp", data: "AAECAwQ=" } },
        { text: "A banana on Mars" },
      ],
    },
  ]);
});

test("images without a prompt go alone", () => {
  const images = [{ mediaType: "image/png", bytes: new Uint8Array([1, 2, 3]) }] as const;
  expect(requestOf({ ...call, prompt: "", images }).contents).toEqual([
    { role: "user", parts: [{ inlineData: { mimeType: "image/png", data: "AQID" } }] },
  ]);
});

test("thinking, safety and seed are said as Google names them", () => {
  const { config } = requestOf({
    ...call,
    thinking: "high",
    safety: { hate_speech: "off", dangerous_content: "block_only_high" },
    seed: 7,
  });
  expect(config).toMatchObject({
    thinkingConfig: { thinkingLevel: "HIGH" },
    safetySettings: [
      { category: "HARM_CATEGORY_HATE_SPEECH", threshold: "OFF" },
      { category: "HARM_CATEGORY_DANGEROUS_CONTENT", threshold: "BLOCK_ONLY_HIGH" },
    ],
    seed: 7,
  });
});

test.each([
  [{ web: true, images: false }, {}],
  [{ web: true, images: true }, { searchTypes: { webSearch: {}, imageSearch: {} } }],
  [{ web: false, images: true }, { searchTypes: { imageSearch: {} } }],
])("a search %o brings words with it", (grounding, googleSearch) => {
  expect(requestOf({ ...call, grounding }).config).toMatchObject({
    responseModalities: ["TEXT", "IMAGE"],
    tools: [{ googleSearch }],
  });
});

test("earlier turns go before, each answer with its signatures on the parts that bore them", () => {
  const mars = { mediaType: "image/png", bytes: new Uint8Array([1, 2, 3]) } as const;
  const request = requestOf({
    ...call,
    prompt: "Now at night",
    history: [
      {
        prompt: "A banana on Mars",
        images: [mars],
        reply: [
          { type: "text", text: "Here it is", signature: null },
          { type: "image", ...mars, signature: "c2lnbmVk" },
          { type: "text", text: "", signature: "bGFzdA==" },
        ],
      },
    ],
  });
  const inlineData = { mimeType: "image/png", data: "AQID" };
  expect(request.contents).toEqual([
    { role: "user", parts: [{ inlineData }, { text: "A banana on Mars" }] },
    {
      role: "model",
      parts: [
        { text: "Here it is" },
        { inlineData, thoughtSignature: "c2lnbmVk" },
        { text: "", thoughtSignature: "bGFzdA==" },
      ],
    },
    { role: "user", parts: [{ text: "Now at night" }] },
  ]);
});
