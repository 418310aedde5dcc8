import type { IncomingMessage } from "node:http";
import { finished } from "node:stream/promises";
import type { Picture } from "./arriving-picture.ts";
import { pictureScanner, type ScanLimits } from "./picture-scanner.ts";
import { post } from "./post.ts";

/** What one HTTP exchange came to: what @google/genai drops, and what is kept from it. Filled as things happen. */
export type Exchange = {
  /** How far the request came: it wasn't made, it was, or a connection stood to send it on. */
  request: "none" | "made" | "connected";
  status: number | null;
  retryAfter: string | null;
  /** JSON without its pictures, or the beginning of what an error says; `null` until all of it is there. */
  body: Buffer | null;
  pictures: ReadonlyMap<number, Picture>;
};

const limits: ScanLimits = { pictureBytes: 64 * 2 ** 20, jsonBytes: 16 * 2 ** 20 };
const errorBytes = 64 * 2 ** 10;
const bodiless = [204, 205, 304];

/**
 * A fetch for one call, which hands @google/genai a reply without its pictures, and the exchange as it saw it.
 * `signal` ends the request and the reading of its reply.
 */
export function exchange(signal: AbortSignal): { fetch: typeof fetch; seen: Exchange } {
  const seen: Exchange = { request: "none", status: null, retryAfter: null, body: null, pictures: new Map() };
  return {
    seen,
    async fetch(to, init) {
      const url = new URL(to instanceof Request ? to.url : to);
      seen.request = "made";
      const reply = await post({
        url,
        headers: Object.fromEntries(new Headers(init?.headers)),
        body: typeof init?.body === "string" ? init.body : "",
        signal,
        onConnect: () => {
          seen.request = "connected";
        },
      });
      const status = reply.statusCode ?? 0;
      seen.status = status;
      seen.retryAfter = reply.headers["retry-after"] ?? null;
      const body =
        status >= 200 && status < 300 ? await withoutPictures(reply, seen) : await beginning(reply);
      seen.body = body;
      return new Response(bodiless.includes(status) ? null : body, {
        status,
        headers: { "content-type": reply.headers["content-type"] ?? "" },
      });
    },
  };
}

async function withoutPictures(reply: IncomingMessage, seen: Exchange): Promise<Buffer<ArrayBuffer>> {
  const scanner = pictureScanner(limits);
  // Events rather than an iterator: it halves what reading costs.
  reply.on("data", (chunk: Buffer) => {
    try {
      scanner.write(chunk);
      giveBack(chunk);
    } catch (error) {
      reply.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  await finished(reply);
  const { json, pictures } = scanner.end();
  seen.pictures = pictures;
  return json;
}

/**
 * Frees what was read at once: left to the garbage collector, the chunks of one picture would call it more than once,
 * and it would cost as much as the decoding.
 */
function giveBack({ buffer, length }: Buffer): void {
  const isItsOwn = buffer.byteLength === length; // small ones share a pool
  if (isItsOwn && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

async function beginning(reply: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= errorBytes) break; // which closes the connection
  }
  return Buffer.concat(chunks).subarray(0, errorBytes);
}
