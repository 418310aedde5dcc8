import { loadImage } from "@napi-rs/canvas";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateWith, imagePart, post, prompted, replyOf } from "./client-for-tests.ts";
import { sniff } from "./image-bytes.ts";
import { models } from "./models.ts";
import { type Simulator, startSimulator } from "./simulator.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());

const nb21 = "gemini-nano-banana-2.1";
/** The cheapest to draw. */
const flash = "gemini-3.1-flash-image";
const small = { imageConfig: { imageSize: "512" } };
const imageOnly = { responseModalities: ["IMAGE"] };

async function generated(model: string, body: object) {
  const reply = await generateWith(simulator.url, model, body);
  expect(reply.status).toBe(200);
  return { ...replyOf(reply.json()), headers: reply.headers };
}

async function pixelsOf(image: { data: string } | undefined): Promise<[number, number]> {
  const picture = await loadImage(Buffer.from(image?.data ?? "", "base64"));
  return [picture.width, picture.height];
}

describe("an image", () => {
  it.each([
    ["gemini-2.5-flash-image", { aspectRatio: "16:9" }, [1344, 768]],
    [nb21, { aspectRatio: "21:9" }, [1584, 672]],
    [nb21, { aspectRatio: "1:8" }, [384, 3072]],
    [nb21, { aspectRatio: "3:2", imageSize: "2K" }, [2528, 1696]],
    ["gemini-3.1-flash-image", { aspectRatio: "21:9", imageSize: "512" }, [792, 168]],
    ["gemini-3-pro-image", { imageSize: "4K", aspectRatio: "9:16" }, [3072, 5504]],
  ])("of %s with %j has the documented pixels", async (model, imageConfig, pixels) => {
    const { images } = await generated(model, prompted("A fox", { ...imageOnly, imageConfig }));
    expect(await pixelsOf(images[0])).toEqual(pixels);
  });

  it("follows the shape of the last reference image when no ratio is given", async () => {
    const parts = [await imagePart("png", 40, 40), await imagePart("png", 160, 91)];
    const { images } = await generated(nb21, prompted("Edit", imageOnly, parts));
    expect(await pixelsOf(images[0])).toEqual([1376, 768]);
  });

  it("is the same for the same prompt, inputs and configuration, and differs with any of them", async () => {
    const part = await imagePart();
    const smallOnly = { ...imageOnly, ...small };
    const variants = [
      prompted("A fox", smallOnly, [part]),
      prompted("A fox [[sim:SLOW:1]]", smallOnly, [part]),
      prompted("A fax", smallOnly, [part]),
      prompted("A fox", smallOnly),
      prompted("A fox", { ...smallOnly, seed: 2 }, [part]),
    ];
    const data = [];
    for (const body of variants) data.push((await generated(flash, body)).images[0]?.data);
    expect(data[1]).toBe(data[0]);
    expect(new Set(data).size).toBe(4);
  });

  it("is mostly a JPEG from Pro and a PNG from the others, rightly declared", async () => {
    const types = [];
    for (let index = 0; index < 8; index += 1) {
      const { images } = await generated("gemini-3-pro-image", prompted(`Fox ${index}`, imageOnly));
      expect(sniff(Buffer.from(images[0]?.data ?? "", "base64"))).toBe(images[0]?.mimeType);
      types.push(images[0]?.mimeType);
    }
    expect(types.filter((type) => type === "image/jpeg").length).toBeGreaterThan(5);
    expect((await generated(nb21, prompted("Fox", imageOnly))).images[0]?.mimeType).toBe("image/png");
  });
});

describe("an answer", () => {
  it("has text and image unless modalities say otherwise", async () => {
    const kinds = async (config: object) =>
      (await generated(flash, prompted("A fox", { ...small, ...config }))).parts.map((part) =>
        part.text === undefined ? "image" : "text",
      );
    expect(await kinds({})).toEqual(["text", "image"]);
    expect(await kinds({ responseModalities: ["TEXT", "IMAGE"] })).toEqual(["text", "image"]);
    expect(await kinds(imageOnly)).toEqual(["image"]);
    expect(await kinds({ responseModalities: ["TEXT"] })).toEqual(["text"]);
  });

  it("is signed on the first visible part and on every image, never by 2.5", async () => {
    const both = await generated(flash, prompted("A fox", small));
    expect(both.parts.map((part) => part.thoughtSignature !== undefined)).toEqual([true, true]);
    const thinking = {
      ...imageOnly,
      ...small,
      thinkingConfig: { includeThoughts: true, thinkingLevel: "high" },
    };
    const thoughts = await generated(flash, prompted("A fox", thinking));
    expect(
      thoughts.parts.map((part) => [part.thought ?? false, part.thoughtSignature !== undefined]),
    ).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ]);
    const old = await generated("gemini-2.5-flash-image", prompted("A fox"));
    expect(old.parts.some((part) => part.thoughtSignature !== undefined)).toBe(false);
  });

  it("counts tokens so that the total is prompt, candidates and thoughts together", async () => {
    const { reply } = await generated(
      "gemini-3-pro-image",
      prompted("12345678", { imageConfig: { imageSize: "2K" } }, [
        await imagePart(),
        await imagePart("jpeg"),
      ]),
    );
    const usage = reply.usageMetadata;
    expect(usage).toMatchObject({
      promptTokenCount: 2 + 2 * 258,
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 2 },
        { modality: "IMAGE", tokenCount: 516 },
      ],
      candidatesTokensDetails: [{ modality: "IMAGE", tokenCount: 1120 }],
    });
    const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount, totalTokenCount } = usage;
    expect(candidatesTokenCount).toBeGreaterThan(1120);
    expect(Number(promptTokenCount) + Number(candidatesTokenCount) + Number(thoughtsTokenCount)).toBe(
      totalTokenCount,
    );
  });

  it.each(models)("of $id bills the image tokens of its table", async (model) => {
    for (const [imageSize, tokens] of Object.entries(model.imageTokens)) {
      simulator.reset();
      const config = model.sizes.length === 0 ? imageOnly : { ...imageOnly, imageConfig: { imageSize } };
      // Billed, but never drawn.
      await generateWith(simulator.url, model.id, prompted("A fox [[sim:DEADLINE]]", config));
      expect(simulator.ledger().calls[0]).toMatchObject({
        billed: true,
        costTokens: { outputImage: tokens },
      });
    }
  });

  it("carries grounding for the kinds of search that were asked for", async () => {
    const grounded = async (tool: object) =>
      (await generated(flash, { ...prompted("Paris <1>", small), tools: [tool] })).candidate
        .groundingMetadata;
    const web = await grounded({ googleSearch: {} });
    expect(web).toMatchObject({ webSearchQueries: ["Paris <1>"], groundingSupports: [{}] });
    expect(web).not.toHaveProperty("imageSearchQueries");
    expect(web?.searchEntryPoint).toEqual({
      renderedContent: expect.stringContaining("Paris &#60;1&#62;"),
    });
    const images = await grounded({ googleSearch: { searchTypes: { imageSearch: {} } } });
    expect(images?.groundingChunks).toEqual([
      { image: expect.objectContaining({ sourceUri: expect.any(String), domain: "example.com" }) },
      { image: expect.anything() },
    ]);
    expect((await generated(flash, prompted("x", small))).candidate).not.toHaveProperty("groundingMetadata");
  });

  it("has Google's headers, and names the service tier that was asked for", async () => {
    const { headers } = await generated(flash, { ...prompted("A fox", small), serviceTier: "flex" });
    expect(headers.get("server")).toBe("scaffolding on HTTPServer2");
    expect(headers.get("server-timing")).toMatch(/^gfet4t7; dur=\d+$/);
    expect(headers.get("x-gemini-service-tier")).toBe("flex");
    expect(headers.get("content-type")).toBe("application/json; charset=UTF-8");
  });

  it("streams as server-sent events, or as an array without alt=sse", async () => {
    const path = `/v1beta/models/${flash}:streamGenerateContent`;
    const events = await post(simulator.url, `${path}?alt=sse`, prompted("A fox", small));
    expect(events.headers.get("content-type")).toBe("text/event-stream");
    expect(events.headers.get("content-disposition")).toBe("attachment");
    const lines = events.text.split("\r\n\r\n").filter((event) => event !== "");
    expect(lines.every((event) => event.startsWith("data: {"))).toBe(true);
    const array = (await post(simulator.url, path, prompted("A fox", small))).json();
    expect(array).toHaveLength(lines.length);
    expect(array).toMatchObject([
      { candidates: [{ content: { parts: [{ text: "Here is your " }] } }] },
      { candidates: [{ content: { parts: [{ text: "image: A fox" }] } }] },
      { candidates: [{ content: { parts: [{ inlineData: {}, thoughtSignature: expect.any(String) }] } }] },
      { candidates: [{ content: { parts: [{ text: "", thoughtSignature: expect.any(String) }] } }] },
      { candidates: [{ content: { role: "model" }, finishReason: "STOP", index: 0 }] },
    ]);
  });
});

describe("a conversation", () => {
  const model = "gemini-3-pro-image";
  const turn = (text: string) => ({ role: "user", parts: [{ text }] });

  async function converse(content: object, key = "test-key", id = model) {
    const body = { contents: [turn("A cat"), content, turn("With a hat [[sim:NO_IMAGE]]")] };
    const path = `/v1beta/models/${id}:generateContent`;
    const reply = await post(simulator.url, path, body, { "x-goog-api-key": key });
    return [reply.status, reply.status === 200 ? "" : reply.text];
  }

  it("accepts its own signatures, also in the other base64 alphabet", async () => {
    const { candidate } = await generated(model, prompted("A cat"));
    expect((await converse(candidate.content))[0]).toBe(200);
    const urlSafe = JSON.stringify(candidate.content).replace(/"thoughtSignature":"[^"]+"/g, (field) =>
      field.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
    );
    expect((await converse(JSON.parse(urlSafe)))[0]).toBe(200);
  });

  it("refuses garbled signatures, and ones of another image, key or model", async () => {
    const { candidate, parts } = await generated(model, prompted("A cat", imageOnly));
    const other = await generated(model, prompted("A dog", imageOnly));
    const [part] = parts;
    const signed = (thoughtSignature: string | undefined) => ({
      role: "model",
      parts: [{ ...part, thoughtSignature }],
    });
    const foreign = "invalid thought signature for content at index 1";
    expect(await converse(signed("bm9wZQ=="))).toEqual([400, expect.stringContaining("Corrupted")]);
    expect(await converse(signed(other.parts[0]?.thoughtSignature))).toEqual([
      400,
      expect.stringContaining(foreign),
    ]);
    expect(await converse(candidate.content, "other-key")).toEqual([400, expect.stringContaining(foreign)]);
    expect(await converse(candidate.content, "test-key", nb21)).toEqual([
      400,
      expect.stringContaining(foreign),
    ]);
  });

  it.each(["context_engineering_is_the_way_to_go", "skip_thought_signature_validator"])(
    "accepts the documented dummy %s",
    async (thoughtSignature) => {
      expect(
        (await converse({ role: "model", parts: [{ ...(await imagePart()), thoughtSignature }] }))[0],
      ).toBe(200);
    },
  );

  it("needs no signatures with 2.5, nor on user images", async () => {
    const content = { role: "model", parts: [await imagePart()] };
    expect((await converse(content, "test-key", "gemini-2.5-flash-image"))[0]).toBe(200);
    expect((await converse({ role: "user", parts: [await imagePart()] }))[0]).toBe(200);
  });

  it("is faulted by the markers of its last turn only", async () => {
    const { candidate } = await generated(model, prompted("A cat"));
    const contents = [turn("A cat [[sim:INTERNAL]]"), candidate.content, turn("[[sim:NO_IMAGE]]")];
    expect((await generateWith(simulator.url, model, { contents })).status).toBe(200);
  });
});
