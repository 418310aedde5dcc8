import type { ServerResponse } from "node:http";
import type { Outcome } from "./generate.ts";
import { encodeBody, send, usualHeaders } from "./http.ts";
import { pause } from "./latency.ts";
import type { ErrorReply } from "./refusal.ts";
import { chunksOf } from "./stream.ts";

/** How the client asked to be answered: one JSON object, server-sent events, or a JSON array in pieces. */
export type Form = "unary" | "sse" | "array";

/** Where an answer goes. `reset` breaks the connection with a TCP reset. */
type Wire = {
  response: ServerResponse;
  form: Form;
  headers: Readonly<Record<string, string>>;
  /** Fires when the client leaves or the simulator stops. */
  over: AbortSignal;
  reset: () => void;
};

/** What has been put on the wire needs a moment to leave before a reset would swallow it. */
const flushMs = 30;
const drips = 20;

/** Sends an outcome the way its delivery says; returns when that is over. */
export async function deliver(wire: Wire, { result, delivery }: Outcome): Promise<void> {
  const { response, form, headers } = wire;
  const error = result.kind === "error" ? result.error : null;
  const pieces = result.kind === "reply" ? encodePieces(form, chunksFor(form, result.reply)) : [];
  switch (delivery.kind) {
    case "whole":
      if (error !== null) sendError(wire, error);
      else await sendPieces(wire, pieces, 0);
      return;
    case "drip":
      if (error !== null) sendError(wire, error);
      else await sendPieces(wire, sliced(Buffer.concat(pieces), drips), delivery.ms / drips);
      return;
    case "hang":
      if (await pause(delivery.ms, wire.over)) wire.reset();
      return;
    case "reset":
      wire.reset();
      return;
    case "reset-midway": {
      const body = Buffer.concat(pieces);
      response.writeHead(200, { ...headersOf(wire), "content-length": body.length });
      response.write(body.subarray(0, body.length / 2));
      await pause(flushMs, wire.over);
      wire.reset();
      return;
    }
    case "cut":
      // A stream ends cleanly but for its last chunk; a single object ends in the middle.
      if (form === "unary") await sendPieces(wire, pieces.map(firstHalf), 0);
      else await sendPieces(wire, pieces.slice(0, -1), 0);
      return;
    case "error-cut": {
      const { type, bytes } = encodeBody(delivery.error.body);
      const half = firstHalf(bytes);
      response.writeHead(delivery.error.status, {
        ...usualHeaders,
        ...headers,
        "content-type": type,
        "content-length": half.length,
      });
      response.end(half);
      return;
    }
    case "error-midway":
      if (form === "unary") sendError(wire, delivery.error);
      else await sendPieces(wire, encodePieces(form, [openingChunk, bodyOf(delivery.error)]), 0);
      return;
  }
}

const openingChunk = {
  candidates: [{ content: { parts: [{ text: "Here is" }], role: "model" }, index: 0 }],
};

function chunksFor(form: Form, reply: object): readonly object[] {
  return form === "unary" ? [reply] : chunksOf(reply);
}

function bodyOf(error: ErrorReply): object {
  return typeof error.body === "string" ? {} : error.body;
}

/** Without `alt=sse` a stream's error is an array of one, as its answers are. */
function sendError({ response, form, headers }: Wire, { status, body }: ErrorReply): void {
  send(response, { status, body: form === "array" && typeof body !== "string" ? [body] : body, headers });
}

function encodePieces(form: Form, chunks: readonly object[]): Buffer[] {
  const last = chunks.length - 1;
  return chunks.map((chunk, index) => {
    const json = JSON.stringify(chunk);
    if (form === "unary") return Buffer.from(`${json}\n`);
    if (form === "sse") return Buffer.from(`data: ${json}\r\n\r\n`);
    return Buffer.from(`${index === 0 ? "[" : ",\r\n"}${json}${index === last ? "]\n" : "\n"}`);
  });
}

async function sendPieces(wire: Wire, pieces: readonly Buffer[], pauseMs: number): Promise<void> {
  const { response, form } = wire;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  response.writeHead(200, { ...headersOf(wire), ...(form === "unary" ? { "content-length": length } : {}) });
  for (const piece of pieces) {
    response.write(piece);
    if (pauseMs > 0 && !(await pause(pauseMs, wire.over))) return;
  }
  response.end();
}

function headersOf({ form, headers }: Wire): Record<string, string> {
  const type = form === "sse" ? "text/event-stream" : "application/json; charset=UTF-8";
  const disposition = form === "sse" ? { "content-disposition": "attachment" } : {};
  return { ...usualHeaders, ...headers, ...disposition, "content-type": type };
}

function sliced(body: Buffer, count: number): Buffer[] {
  const size = Math.ceil(body.length / count);
  return Array.from({ length: count }, (_, index) => body.subarray(index * size, (index + 1) * size));
}

function firstHalf(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}
