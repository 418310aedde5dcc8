import {
  ApiError,
  type Content,
  FinishReason,
  GoogleGenAI,
  JobState,
  ThinkingLevel,
} from "@google/genai/web";
import { loadImage } from "@napi-rs/canvas";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { imagePart } from "./client-for-tests.ts";
import { type Simulator, startSimulator } from "./simulator.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());
beforeEach(() => simulator.reset());

const versions = [
  { name: "its default API version", options: {} },
  { name: "v1beta", options: { apiVersion: "v1beta" } },
];

describe.each(versions)("the unmodified SDK at $name", ({ options }) => {
  const client = () =>
    new GoogleGenAI({ apiKey: "any", ...options, httpOptions: { baseUrl: simulator.url } });

  it("gets an image of the size it asked for", async () => {
    const response = await client().models.generateContent({
      model: "gemini-nano-banana-2.1",
      contents: "A fox in the snow",
      config: { responseModalities: ["IMAGE"], imageConfig: { aspectRatio: "16:9", imageSize: "1K" } },
    });
    const [part] = response.candidates?.[0]?.content?.parts ?? [];
    const picture = await loadImage(Buffer.from(part?.inlineData?.data ?? "", "base64"));
    expect([picture.width, picture.height]).toEqual([1376, 768]);
    expect(response.candidates?.[0]?.finishReason).toBe(FinishReason.STOP);
    expect(response.modelVersion).toBe("gemini-nano-banana-2.1");
    expect(response.usageMetadata?.candidatesTokensDetails).toEqual([
      { modality: "IMAGE", tokenCount: 1120 },
    ]);
  });

  it("edits images, with thinking, search and safety settings as it writes them", async () => {
    const response = await client().models.generateContent({
      model: "gemini-nano-banana-2.1",
      contents: [{ role: "user", parts: [await imagePart("jpeg"), { text: "Make it blue" }] }],
      config: {
        systemInstruction: "Paint like Klimt",
        temperature: 1,
        seed: 7,
        thinkingConfig: { includeThoughts: true, thinkingLevel: ThinkingLevel.HIGH },
        tools: [{ googleSearch: { searchTypes: { webSearch: {}, imageSearch: {} } } }],
        labels: { order: "42" },
        store: false,
        automaticContinuation: false,
      },
    });
    const parts = response.candidates?.[0]?.content?.parts ?? [];
    expect(parts.some((part) => part.thought === true && part.text !== undefined)).toBe(true);
    expect(parts.findLast((part) => part.inlineData !== undefined)?.thought).toBeUndefined();
    const grounding = response.candidates?.[0]?.groundingMetadata;
    expect(grounding?.groundingChunks?.filter((chunk) => chunk.web !== undefined)).toHaveLength(3);
    expect(grounding?.imageSearchQueries).toEqual(["Make it blue"]);
    expect(grounding?.searchEntryPoint?.renderedContent).toContain("Make it blue");
  });

  it("continues a conversation with the model's content verbatim, and is refused without signatures", async () => {
    const model = "gemini-3-pro-image";
    const first = { role: "user", parts: [{ text: "A cat" }] };
    const response = await client().models.generateContent({ model, contents: [first] });
    const answer = response.candidates?.[0]?.content;
    if (answer === undefined) throw new Error("no content");
    const next = { role: "user", parts: [{ text: "Now with a hat" }] };
    const second = await client().models.generateContent({ model, contents: [first, answer, next] });
    expect(second.candidates?.[0]?.finishReason).toBe(FinishReason.STOP);

    const stripped: Content = {
      role: "model",
      parts: (answer.parts ?? []).map(({ text, inlineData }) =>
        text ? { text } : { ...(inlineData && { inlineData }) },
      ),
    };
    const refused = client().models.generateContent({ model, contents: [first, stripped, next] });
    await expect(refused).rejects.toThrow(
      "Image part is missing a thought_signature in content position 2, part position 2.",
    );
  });

  it("streams texts in pieces and each image whole, and ends with a finish reason", async () => {
    const stream = await client().models.generateContentStream({
      model: "gemini-3-pro-image",
      contents: "A boat",
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const images = chunks.flatMap((chunk) =>
      (chunk.candidates?.[0]?.content?.parts ?? []).filter((part) => part.inlineData !== undefined),
    );
    expect(images).toHaveLength(1);
    expect(chunks.length).toBeGreaterThan(3);
    expect(chunks.at(-1)?.candidates?.[0]?.finishReason).toBe(FinishReason.STOP);
    expect(new Set(chunks.map((chunk) => chunk.responseId)).size).toBe(1);
  });

  it("counts tokens", async () => {
    const contents = [{ role: "user", parts: [await imagePart(), { text: "12345678" }] }];
    const counted = await client().models.countTokens({ model: "gemini-3-pro-image", contents });
    expect(counted.totalTokens).toBe(258 + 2);
  });

  it("reads models, and gets 404 for a retired one", async () => {
    const pager = await client().models.list();
    const names = pager.page.map((model) => model.name);
    expect(names).toContain("models/gemini-nano-banana-2.1");
    const model = await client().models.get({ model: "gemini-3-pro-image" });
    expect(model.supportedActions).toContain("generateContent");
    const gone = client().models.generateContent({ model: "gemini-3-pro-image-preview", contents: "x" });
    await expect(gone).rejects.toMatchObject({ name: "ApiError", status: 404 });
  });

  it("uploads, reads, uses and deletes files", async () => {
    const { inlineData } = await imagePart("png");
    const blob = new Blob([Buffer.from(inlineData.data, "base64")], { type: "image/png" });
    const file = await client().files.upload({ file: blob, config: { displayName: "red" } });
    expect(file).toMatchObject({ mimeType: "image/png", state: "ACTIVE", displayName: "red" });
    const name = file.name ?? "";
    expect((await client().files.get({ name })).sizeBytes).toBe(String(blob.size));
    expect((await client().files.list()).page.map((each) => each.name)).toContain(name);

    const parts = [{ fileData: { fileUri: file.uri ?? "", mimeType: "image/png" } }, { text: "Edit" }];
    await client().models.generateContent({
      model: "gemini-nano-banana-2.1",
      contents: [{ role: "user", parts }],
    });
    expect(simulator.ledger().calls.at(-1)?.inputImages).toBe(1);

    await client().files.delete({ name });
    await expect(client().files.get({ name })).rejects.toMatchObject({ status: 403 });
  });

  it("creates, reads, lists, cancels and deletes batches", async () => {
    const ai = client();
    const job = await ai.batches.create({
      model: "gemini-3.1-flash-lite-image",
      src: [
        { contents: [{ role: "user", parts: [{ text: "A pear" }] }], metadata: { key: "1" } },
        {
          contents: [{ role: "user", parts: [{ text: "A plum [[sim:OVERLOADED]]" }] }],
          metadata: { key: "2" },
        },
      ],
      config: { displayName: "fruit" },
    });
    expect(job.state).toBe(JobState.JOB_STATE_PENDING);
    const name = job.name ?? "";
    await expect
      .poll(async () => (await ai.batches.get({ name })).state, { timeout: 4000, interval: 20 })
      .toBe(JobState.JOB_STATE_SUCCEEDED);
    const rows = (await ai.batches.get({ name })).dest?.inlinedResponses ?? [];
    expect(rows[0]?.response?.candidates?.[0]?.finishReason).toBe(FinishReason.STOP);
    expect(rows[0]?.metadata).toEqual({ key: "1" });
    expect(rows[1]?.error).toMatchObject({
      code: 14,
      message: "The model is overloaded. Please try again later.",
    });

    expect((await ai.batches.list()).page.map((each) => each.name)).toContain(name);
    const slow = await ai.batches.create({
      model: "gemini-3.1-flash-lite-image",
      src: [{ contents: [{ role: "user", parts: [{ text: "[[sim:SLOW:60000]]" }] }] }],
    });
    await ai.batches.cancel({ name: slow.name ?? "" });
    expect((await ai.batches.get({ name: slow.name ?? "" })).state).toBe(JobState.JOB_STATE_CANCELLED);
    await ai.batches.delete({ name });
    await expect(ai.batches.get({ name })).rejects.toMatchObject({ status: 404 });
  });

  it("sees errors as ApiError with Google's body in the message", async () => {
    const failed = client().models.generateContent({
      model: "gemini-3-pro-image",
      contents: "A fox [[sim:RATE_LIMIT:47s]]",
    });
    const error: unknown = await failed.catch((reason: unknown) => reason);
    if (!(error instanceof ApiError)) throw new Error("not an ApiError");
    expect(error.status).toBe(429);
    expect(JSON.parse(error.message)).toMatchObject({
      error: { code: 429, status: "RESOURCE_EXHAUSTED", details: [{}, {}, { retryDelay: "47s" }] },
    });
  });
});
