import { createCanvas } from "@napi-rs/canvas";
import * as z from "zod";

/** A `generateContent` body with one user turn. */
export function prompted(text: string, generationConfig: object = {}, parts: readonly object[] = []): object {
  return { contents: [{ role: "user", parts: [...parts, { text }] }], generationConfig };
}

/** Posts JSON to the simulator and gives its answer, body read. */
export async function post(
  url: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = { "x-goog-api-key": "test-key" },
): Promise<{ status: number; headers: Headers; text: string; json: () => unknown }> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
}

/** Calls `:generateContent` of a model. */
export function generateWith(url: string, model: string, body: unknown) {
  return post(url, `/v1beta/models/${model}:generateContent`, body);
}

const Reply = z.object({
  candidates: z.array(
    z.object({
      finishReason: z.string().optional(),
      content: z.object({
        role: z.literal("model"),
        parts: z.array(
          z.object({
            text: z.string().optional(),
            thought: z.boolean().optional(),
            thoughtSignature: z.string().optional(),
            inlineData: z.object({ mimeType: z.string(), data: z.string() }).optional(),
          }),
        ),
      }),
      groundingMetadata: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
  usageMetadata: z.record(z.string(), z.unknown()),
  modelVersion: z.string(),
  responseId: z.string(),
});

/** The parts of the first candidate, and the reply itself; throws if the body is no usual reply. */
export function replyOf(body: unknown) {
  const reply = Reply.parse(body);
  const candidate = reply.candidates[0];
  if (candidate === undefined) throw new Error("Cannot read the reply: it has no candidate");
  const parts = candidate.content.parts;
  const images = parts.flatMap((part) => (part.inlineData === undefined ? [] : [part.inlineData]));
  return { reply, candidate, parts, images };
}

/** The message of an error body. */
export function messageOf(body: unknown): string {
  return z.object({ error: z.object({ message: z.string() }) }).parse(body).error.message;
}

/** An inlineData part holding a small picture of the given type. */
export async function imagePart(type: "png" | "jpeg" | "webp" = "png", width = 40, height = 40) {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext("2d");
  context.fillStyle = "#c33";
  context.fillRect(4, 4, width / 2, height / 2);
  const bytes = type === "png" ? await canvas.encode("png") : await canvas.encode(type, 90);
  return { inlineData: { mimeType: `image/${type}`, data: bytes.toString("base64") } };
}
