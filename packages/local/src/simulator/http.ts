import type { IncomingMessage, ServerResponse } from "node:http";
import { invalidArgument, Refusal } from "./refusal.ts";

/** An answer ready to send: objects go out as JSON, strings as HTML, buffers as they are. */
export type HttpReply = {
  status: number;
  body: object | string | Buffer;
  headers?: Readonly<Record<string, string>>;
};

/** The whole request limit of the API since January 2026. */
export const maxBodyBytes = 100 * 2 ** 20;
/** What inline batches may hold. */
export const maxBatchBytes = 20 * 2 ** 20;

/**
 * Reads a request body of at most `limit` bytes.
 *
 * @throws Refusal 400 for a longer one, whose rest is read and dropped so that the client gets to see the answer
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  return await new Promise((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else reject(invalidArgument(`Request payload size exceeds the limit: ${limit} bytes.`));
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new ClientLeft()));
  });
}

/** The client closed the connection before its request had arrived. */
export class ClientLeft extends Error {
  override readonly name = "ClientLeft";
}

/**
 * Parses a JSON body; an empty one is `{}`.
 *
 * @throws Refusal 400
 */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalidArgument(`Invalid JSON payload received. ${error.message}`);
  }
}

/** Headers that every answer of Google's server carries. */
export const usualHeaders: Readonly<Record<string, string>> = {
  vary: "Origin, X-Origin, Referer",
  server: "scaffolding on HTTPServer2",
  "x-content-type-options": "nosniff",
};

/** `content-type` and bytes of a body. */
export function encodeBody(body: HttpReply["body"]): { type: string; bytes: Buffer } {
  if (Buffer.isBuffer(body)) return { type: "application/octet-stream", bytes: body };
  if (typeof body === "string") return { type: "text/html; charset=UTF-8", bytes: Buffer.from(body) };
  return { type: "application/json; charset=UTF-8", bytes: Buffer.from(`${JSON.stringify(body)}\n`) };
}

/** Sends an answer in one piece. */
export function send(response: ServerResponse, reply: HttpReply): void {
  const { type, bytes } = encodeBody(reply.body);
  response.writeHead(reply.status, {
    ...usualHeaders,
    "content-type": type,
    "content-length": bytes.length,
    ...reply.headers,
  });
  response.end(bytes);
}

/** The refusal of a path that the API does not have; Google's front end answers in HTML. */
export function noSuchPath(path: string): Refusal {
  const body = `<!DOCTYPE html>\n<html lang=en><title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> <ins>That’s an error.</ins>\n<p>The requested URL <code>${path.replace(/[<&]/g, "")}</code> was not found on this server. <ins>That’s all we know.</ins>\n`;
  return new Refusal({ status: 404, body });
}
