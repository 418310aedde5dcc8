import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateWith, imagePart, messageOf, post, prompted } from "./client-for-tests.ts";
import { maxReferenceImages, models } from "./models.ts";
import { type Simulator, startSimulator } from "./simulator.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());

const nb21 = "gemini-nano-banana-2.1";
const old = "gemini-2.5-flash-image";

async function refusal(model: string, body: unknown): Promise<[status: number, message: string]> {
  const reply = await generateWith(simulator.url, model, body);
  return [reply.status, reply.status === 200 ? "" : messageOf(reply.json())];
}

// What passes validation ends in an answer without an image: nothing has to be drawn.
const plain = "A fox [[sim:NO_IMAGE]]";
const configured = (model: string, config: object) => refusal(model, prompted(plain, config));
const withParts = (...parts: readonly object[]) => refusal(nb21, prompted(plain, {}, parts));

describe("field names", () => {
  it("are refused when unknown, each with its path", async () => {
    const body = {
      contents: [{ role: "user", parts: [{ text: "x", colour: 1 }] }],
      generation_config: { imageConfig: { outputMimeType: "image/png" } },
      tool: [],
    };
    const reply = await generateWith(simulator.url, nb21, body);
    expect(reply.status).toBe(400);
    const violations = [
      {
        field: "contents[0].parts[0]",
        description: `Invalid JSON payload received. Unknown name "colour" at 'contents[0].parts[0]': Cannot find field.`,
      },
      {
        field: "generation_config.image_config",
        description: `Invalid JSON payload received. Unknown name "outputMimeType" at 'generation_config.image_config': Cannot find field.`,
      },
      { description: `Invalid JSON payload received. Unknown name "tool": Cannot find field.` },
    ];
    expect(reply.json()).toEqual({
      error: {
        code: 400,
        status: "INVALID_ARGUMENT",
        message: violations.map(({ description }) => description).join("\n"),
        details: [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: violations }],
      },
    });
  });

  it("may be written in snake_case, null means unset, a lone object is a list of one", async () => {
    const body = {
      contents: { role: "user", parts: { text: plain } },
      generation_config: { image_config: { aspect_ratio: "1:1", image_size: "1K" }, top_p: null },
      system_instruction: { parts: { text: "y" } },
    };
    expect((await generateWith(simulator.url, nb21, body)).status).toBe(200);
  });

  it("have a type", async () => {
    const [status, message] = await configured(nb21, {
      temperature: "hot",
      responseModalities: ["SMELL"],
      seed: 1.5,
    });
    expect(status).toBe(400);
    expect(message.split("\n")).toEqual([
      `Invalid value at 'generation_config.temperature' (TYPE_FLOAT), "hot"`,
      "Invalid value at 'generation_config.seed' (TYPE_INT32), 1.5",
      `Invalid value at 'generation_config.response_modalities[0]' (type.googleapis.com/google.ai.generativelanguage.v1beta.GenerationConfig.Modality), "SMELL"`,
    ]);
  });

  it("come in valid JSON", async () => {
    const reply = await generateWith(simulator.url, nb21, '{"contents": [');
    expect([reply.status, messageOf(reply.json())]).toEqual([
      400,
      expect.stringMatching(/^Invalid JSON payload received\./),
    ]);
  });
});

describe("models", () => {
  it.each(["gemini-3-pro-image-preview", "gemini-3.1-flash-image-preview", "gpt-image-1"])(
    "%s is not found",
    async (id) => {
      expect(await configured(id, {})).toEqual([
        404,
        `models/${id} is not found for API version v1beta, or is not supported for generateContent. Call ListModels (ModelService.ListModels) to see the list of available models and their supported methods.`,
      ]);
    },
  );

  it.each(models.map(({ id }) => id))("%s answers a plain prompt", async (id) => {
    expect(await configured(id, {})).toEqual([200, ""]);
  });

  it.each([
    [nb21, { imageConfig: { imageSize: "512" } }, /image_size must be one of '1K', '2K', or '4K'\.\n$/],
    [nb21, { imageConfig: { imageSize: "2k" } }, /image_size must be one of/],
    [
      nb21,
      { imageConfig: { aspectRatio: "7:3" } },
      /aspect_ratio must be one of '1:1', '1:4', .*, or '21:9'/,
    ],
    [
      "gemini-3-pro-image",
      { imageConfig: { aspectRatio: "1:8" } },
      /aspect_ratio must be one of '1:1', '2:3'/,
    ],
    ["gemini-3.1-flash-lite-image", { imageConfig: { imageSize: "2K" } }, /image_size must be one of '1K'\./],
    [nb21, { responseFormat: { image: { aspectRatio: "7:3" } } }, /aspect_ratio must be one of/],
    [old, { thinkingConfig: { includeThoughts: false } }, `Thinking is not enabled for models/${old}`],
    [nb21, { thinkingConfig: { thinkingLevel: "low" } }, /^Thinking level LOW is not supported/],
    [
      nb21,
      { thinkingConfig: { thinkingLevel: "HIGH", thinkingBudget: 9 } },
      /thinking budget and thinking level/,
    ],
    [nb21, { candidateCount: 2 }, "Multiple candidates is not enabled for this model"],
    [nb21, { responseMimeType: "application/json" }, `JSON mode is not enabled for models/${nb21}`],
    [nb21, { responseModalities: ["AUDIO"] }, /response modalities \(AUDIO\) is not supported/],
    [old, { mediaResolution: "MEDIA_RESOLUTION_HIGH" }, "Media resolution is not enabled for this model"],
  ])("%s refuses %j", async (id, config, message) => {
    const [status, text] = await configured(id, config);
    expect(status).toBe(400);
    if (typeof message === "string") expect(text).toBe(message);
    else expect(text).toMatch(message);
  });

  it("gemini-2.5-flash-image answers imageSize with a deterministic 500", async () => {
    expect((await configured(old, { imageConfig: { imageSize: "1K" } }))[0]).toBe(500);
  });

  it.each([
    ["gemini-3.1-flash-lite-image", { googleSearch: {} }, 400],
    [old, { googleSearch: {} }, 400],
    ["gemini-3-pro-image", { googleSearch: { searchTypes: { imageSearch: {} } } }, 400],
    ["gemini-3-pro-image", { googleSearch: {} }, 200],
    [nb21, { google_search: { search_types: { image_search: {} } } }, 200],
    [nb21, { codeExecution: {} }, 400],
  ])("%s with the tool %j answers %i", async (id, tool, status) => {
    const body = { ...prompted(plain), tools: [tool] };
    expect((await refusal(id, body))[0]).toBe(status);
  });
});

describe("contents", () => {
  it.each([
    [{}, "* GenerateContentRequest.contents: contents is not specified\n"],
    [{ contents: [{ role: "system", parts: [{ text: "x" }] }] }, "Please use a valid role: user, model."],
    [
      { contents: [{ role: "user", parts: [] }] },
      "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n",
    ],
    [
      { contents: [{ role: "user", parts: [{ thought: true }] }] },
      "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must have one initialized field\n",
    ],
    [
      { contents: [{ parts: [{ text: "x", inlineData: { mimeType: "image/png", data: "" } }] }] },
      "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. Cannot set 'inlineData'",
    ],
  ])("like %j are refused", async (body, message) => {
    expect(await refusal(nb21, body)).toEqual([400, message]);
  });
});

describe("input images", () => {
  it.each(["png", "jpeg", "webp"] as const)("may be %s", async (type) => {
    expect((await withParts(await imagePart(type)))[0]).toBe(200);
  });

  it("may be HEIC", async () => {
    const data = Buffer.from("\0\0\0\x10ftypheic\0\0\0\0\0\0\0\x08mdat", "latin1").toString("base64");
    expect((await withParts({ inlineData: { mimeType: "image/heic", data } }))[0]).toBe(200);
  });

  it.each([
    [
      "image/jpg",
      /^\* GenerateContentRequest\.contents\[0\]\.parts\[0\]\.inline_data\.mime_type: MIME type must be image\/png, image\/jpeg, image\/webp, image\/heic, or image\/heif\.\n$/,
    ],
    ["image/gif", "Unable to process input image."],
    ["image/svg+xml", "Unable to process input image."],
    ["image/jpeg", "Unhandled generated data mime type: image/png"],
  ])("are refused when a PNG is declared %s", async (mimeType, message) => {
    const { inlineData } = await imagePart("png");
    const [status, text] = await withParts({ inlineData: { ...inlineData, mimeType } });
    expect(status).toBe(400);
    if (typeof message === "string") expect(text).toBe(message);
    else expect(text).toMatch(message);
  });

  it("are refused when they are not base64", async () => {
    const part = { inlineData: { mimeType: "image/png", data: "not base64!" } };
    expect(await withParts(part)).toEqual([
      400,
      `Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed for "not base64!"`,
    ]);
  });

  it("are refused when they are no image", async () => {
    const data = Buffer.from("hello world, this is text").toString("base64");
    expect(await withParts({ inlineData: { mimeType: "image/png", data } })).toEqual([
      400,
      "Unable to process input image.",
    ]);
  });

  it.each(["png", "jpeg", "webp"] as const)("are refused when a %s is cut off", async (type) => {
    const { inlineData } = await imagePart(type, 300, 300);
    const bytes = Buffer.from(inlineData.data, "base64");
    const data = bytes.subarray(0, bytes.length * 0.7).toString("base64");
    expect(await withParts({ inlineData: { ...inlineData, data } })).toEqual([
      400,
      "Provided image is not valid",
    ]);
  });

  it("are refused when the pixels cannot be decoded", async () => {
    const { inlineData } = await imagePart("png");
    const bytes = Buffer.from(inlineData.data, "base64");
    // The IHDR chunk claims a size of 0 x 0.
    bytes.fill(0, 16, 24);
    const data = bytes.toString("base64");
    expect(await withParts({ inlineData: { ...inlineData, data } })).toEqual([
      400,
      "Provided image is not valid",
    ]);
  });

  it(`are at most ${maxReferenceImages}`, async () => {
    const part = await imagePart();
    expect((await withParts(...Array(maxReferenceImages).fill(part)))[0]).toBe(200);
    const [status, message] = await withParts(...Array(maxReferenceImages + 1).fill(part));
    expect([status, message]).toEqual([400, expect.stringContaining("15 images were provided")]);
  });

  it("may be given by an address, which is fetched", async () => {
    const uri = (path: string) => ({
      fileData: { fileUri: `${simulator.url}${path}`, mimeType: "image/png" },
    });
    expect(await withParts(uri("/nowhere.png"))).toEqual([
      400,
      "Cannot fetch content from the provided URL.",
    ]);
    expect(await withParts(uri("/v1beta/files/absent"))).toEqual([
      403,
      "You do not have permission to access the File absent or it may not exist.",
    ]);
  });
});

describe("requests", () => {
  it("need a key", async () => {
    const path = `/v1beta/models/${nb21}:generateContent`;
    const without = await post(simulator.url, path, prompted("x"), {});
    expect(without.status).toBe(403);
    expect(messageOf(without.json())).toMatch(/^Method doesn't allow unregistered callers/);
    const wrong = await post(simulator.url, path, prompted("x"), { "x-goog-api-key": "invalid-1" });
    expect(wrong.status).toBe(400);
    expect(wrong.json()).toMatchObject({ error: { details: [{ reason: "API_KEY_INVALID" }, {}] } });
    expect((await post(simulator.url, `${path}?key=k`, prompted(plain), {})).status).toBe(200);
  });

  it("hold at most 100 MB", async () => {
    const reply = await generateWith(simulator.url, nb21, " ".repeat(100 * 2 ** 20 + 1));
    expect([reply.status, messageOf(reply.json())]).toEqual([
      400,
      "Request payload size exceeds the limit: 104857600 bytes.",
    ]);
  });

  it("are counted without a bill when refused", async () => {
    simulator.reset();
    await configured(nb21, { imageConfig: { imageSize: "9K" } });
    const { calls, totals } = simulator.ledger();
    expect(calls[0]).toMatchObject({ status: 400, imageSize: "9K", billed: false, startedAt: null });
    expect(totals).toEqual({ calls: 1, billed: 0, images: 0 });
  });

  it("to other paths get Google's 404 page, to other methods of a model its JSON", async () => {
    const page = await post(simulator.url, "/v2/models", {});
    expect([page.status, page.headers.get("content-type")]).toEqual([404, "text/html; charset=UTF-8"]);
    const method = await post(simulator.url, `/v1/models/${nb21}:embedContent`, {});
    expect(messageOf(method.json())).toContain("is not supported for embedContent");
  });
});
