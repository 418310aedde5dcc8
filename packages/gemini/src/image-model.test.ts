import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { drawn, part, png } from "./fixtures/replies.ts";
import { answering, call, generate, key, listen } from "./fixtures/server.ts";
import { geminiImageModel } from "./image-model.ts";

describe("the request", () => {
  test("is one POST with the key, the prompt and the choices", async () => {
    const seen: { request: IncomingMessage; body: string }[] = [];
    await generate((request, response, body) => {
      seen.push({ request, body });
      answering({}, 503)(request, response, body);
    });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.request.url).toBe("/v1beta/models/gemini-3-pro-image:generateContent");
    expect(seen[0]?.request.headers).toMatchObject({ "x-goog-api-key": key, "x-server-timeout": "240" });
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({
      contents: [{ role: "user", parts: [{ text: "A banana on Mars" }] }],
      generationConfig: {
        responseModalities: ["IMAGE"],
        imageConfig: { aspectRatio: "16:9", imageSize: "2K" },
      },
    });
  });

  test("carries the key as it is at the time of the call", async () => {
    const keys: unknown[] = [];
    const baseUrl = await listen((request, response, body) => {
      keys.push(request.headers["x-goog-api-key"]);
      answering({})(request, response, body);
    });
    const rotated = ["first", "first", "second"];
    const model = geminiImageModel({ apiKey: async () => rotated[keys.length] ?? "", baseUrl });
    for (const _ of rotated) await model.generate(call, new AbortController().signal);
    expect(keys).toEqual(rotated);
  });
});

describe("an image", () => {
  test("comes with its bytes, its real type and size, its text and its tokens", async () => {
    const image = png(1376, 768);
    const answer = await generate(
      answering(drawn({ text: "Here it is" }, part(image, { thoughtSignature: "c2ln" }))),
    );
    if (answer.type !== "image") return expect.unreachable();
    const { bytes, ...about } = answer.image;
    expect(Buffer.concat(bytes).equals(image)).toBe(true);
    expect(about).toEqual({
      mediaType: "image/png",
      width: 1376,
      height: 768,
      size: image.length,
      sha256: createHash("sha256").update(image).digest("hex"),
    });
    expect(answer).toMatchObject({
      text: "Here it is",
      usage: { inputText: 15, inputImage: 0, outputText: 0, outputImage: 1120, thinking: 208 },
      upstream: { status: 200, finishReason: "STOP" },
    });
  });

  test("is the last one outside thoughts, and comes with all that was answered", async () => {
    const answer = await generate(
      answering(
        drawn(
          { text: "Let me think", thought: true },
          part(png(10, 10), { thought: true }),
          { text: "First", thoughtSignature: "Zmlyc3Q=" },
          part(png(20, 20), { thoughtSignature: "c2Vjb25k" }),
          part(Buffer.from("no picture")),
          part(png(30, 30), { thoughtSignature: "dGhpcmQ=" }),
          part(png(40, 40), { thought: true }),
          { text: "", thoughtSignature: "bGFzdA==" },
          { text: "" },
        ),
      ),
    );
    if (answer.type !== "image") return expect.unreachable();
    expect(answer).toMatchObject({
      image: { width: 30 },
      text: "First",
      parts: [
        { type: "text", text: "First", signature: "Zmlyc3Q=" },
        { type: "image", image: { width: 20 }, signature: "c2Vjb25k" },
        { type: "image", image: { width: 30 }, signature: "dGhpcmQ=" },
        { type: "text", text: "", signature: "bGFzdA==" },
      ],
    });
    expect(answer.parts[2]).toHaveProperty("image", answer.image);
  });

  test("that rests on a search comes with what has to be shown beside it", async () => {
    const reply = drawn(part(png(10, 10)));
    const groundingMetadata = {
      webSearchQueries: ["mars"],
      groundingChunks: [
        { web: { uri: "https://example.com/mars", title: "Mars" } },
        { image: { sourceUri: "https://example.org/page", imageUri: "https://example.org/mars.jpg" } },
        { image: { imageUri: "https://example.org/no-page.jpg" } },
        { maps: {} },
      ],
      searchEntryPoint: { renderedContent: "<div>mars</div>" },
    };
    const candidates = reply.candidates.map((candidate) => ({ ...candidate, groundingMetadata }));
    expect(await generate(answering({ ...reply, candidates }))).toMatchObject({
      grounding: {
        webQueries: ["mars"],
        imageQueries: [],
        pages: [{ page: "https://example.com/mars", title: "Mars", domain: null }],
        pictures: [
          {
            page: "https://example.org/page",
            picture: "https://example.org/mars.jpg",
            title: null,
            domain: null,
          },
        ],
        widgets: ["<div>mars</div>"],
      },
    });
    expect(await generate(answering(reply))).toMatchObject({ grounding: null });
  });

  test("of several megabytes arrives whole beside a large signature", async () => {
    const image = png(4096, 4096, randomBytes(5_000_001));
    const signature = randomBytes(900_000).toString("base64");
    const answer = await generate(answering(drawn(part(image, { thoughtSignature: signature }))));
    expect(answer).toMatchObject({
      type: "image",
      image: { size: image.length, sha256: createHash("sha256").update(image).digest("hex") },
    });
  });

  test.each([
    ["cut", png(10, 10).subarray(0, -30)],
    ["of an unknown type", Buffer.from("GIF89a and so on, for a while longer")],
    ["empty", Buffer.alloc(0)],
  ])("that is %s was paid all the same", async (_, image) => {
    expect(await generate(answering(drawn(part(image))))).toMatchObject({
      type: "failure",
      failure: { code: "upstream_error", billed: "yes", upstream: { status: 200, finishReason: "STOP" } },
      usage: { outputImage: 1120 },
    });
  });

  test("that is no base64, or is too large, was paid all the same", async () => {
    const broken = { code: "upstream_error", billed: "yes", upstream: { status: 200 } };
    const body = JSON.stringify(drawn(part(png(10, 10)))).replace('"data":"', '"data":"***');
    expect(await generate(answering(body))).toMatchObject({ failure: broken });
    const huge = Buffer.alloc(65 * 2 ** 20);
    expect(await generate(answering(drawn(part(huge))))).toMatchObject({ failure: broken });
  });
});

describe("an abort", () => {
  const reason = new Error("Lease lost");

  test.each([
    ["before an answer", ""],
    ["inside an answer", '{"candidates":['],
  ])("%s rejects with its reason and closes the connection", async (_, begun) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const baseUrl = await listen((request, response) => {
      request.socket.once("close", () => resolve());
      if (begun !== "") response.write(begun);
      reach();
    });
    const abort = new AbortController();
    const model = geminiImageModel({ apiKey: async () => key, baseUrl });
    const answer = expect(model.generate(call, abort.signal)).rejects.toBe(reason);
    await reached;
    abort.abort(reason);
    await answer;
    await closed;
  });

  test("before the call rejects without asking for the key", async () => {
    let asked = false;
    const apiKey = async () => {
      asked = true;
      return key;
    };
    const model = geminiImageModel({ apiKey, baseUrl: "http://127.0.0.1:1" });
    await expect(model.generate(call, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(asked).toBe(false);
  });
});

describe("a configuration that can't work", () => {
  const misconfigured = (message: string) => ({
    type: "failure",
    failure: { code: "provider_configuration", billed: "no", message },
    usage: null,
  });

  test("is told when the key can't be read", async () => {
    const apiKey = async () => {
      throw new RangeError("secret details");
    };
    expect(await generate(answering({}), { apiKey })).toEqual(
      misconfigured("Cannot read the Gemini API key: RangeError"),
    );
    expect(await generate(answering({}), { apiKey: async () => "" })).toEqual(
      misconfigured("Cannot read the Gemini API key: it is empty"),
    );
  });

  test("is told when no request can be made", async () => {
    expect(await generate(answering({}), { baseUrl: "not a URL" })).toMatchObject({
      failure: { code: "provider_configuration", billed: "no" },
    });
  });
});
