import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { S3Error } from "./s3-error.ts";
import { tag, xmlDocument } from "./xml.ts";

/** Bytes `start` to `start + length` of an open file, which is closed once they are sent. */
type FilePart = { readonly file: FileHandle; readonly start: number; readonly length: number };

export type Answer = {
  readonly status: number;
  /** Values as bytes (latin1), see `headerValue`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | FilePart;
};

/** Below this a file is sent in one piece, which is faster than a stream. */
const ONE_PIECE_BYTES = 64 * 1024;

export function xmlAnswer(status: number, body: string, headers: Record<string, string> = {}): Answer {
  return { status, headers: { "content-type": "application/xml", ...headers }, body };
}

/** S3's error document. */
export function errorAnswer(error: S3Error, path: string, requestId: string): Answer {
  const details = Object.entries(error.details).map(([name, value]) => tag(name, value));
  const body = xmlDocument(
    "Error",
    tag("Code", error.code),
    tag("Message", error.message),
    ...details,
    tag("Resource", path),
    tag("RequestId", requestId),
  );
  const size = error.details.ActualObjectSize;
  return xmlAnswer(error.status, body, size === undefined ? {} : { "content-range": `bytes */${size}` });
}

/** Turns text from a query or a form into a header value, UTF-8 bytes as latin1; throws on control characters. */
export function headerValue(name: string, text: string): string {
  if (/[^\P{Cc}\t]/u.test(text)) {
    throw new S3Error("InvalidArgument", "Header value cannot be represented", {
      ArgumentName: name,
      ArgumentValue: text,
    });
  }
  return Buffer.from(text).toString("latin1");
}

/** Sends an answer, and closes its file in any case. Rejects when the client goes away. */
export async function send(response: ServerResponse, answer: Answer, method: string): Promise<void> {
  const { status, headers, body } = answer;
  if (typeof body !== "object") {
    const bytes = Buffer.from(body ?? "");
    const stated = "content-length" in headers || status === 204 || status === 304;
    const length = stated ? {} : { "content-length": String(bytes.length) };
    response.writeHead(status, { ...headers, ...length });
    response.end(method === "HEAD" ? undefined : bytes);
    return;
  }
  try {
    // The length comes last: behind it Node refuses a Content-Disposition with bytes above 127.
    response.writeHead(status, { ...headers, "content-length": String(body.length) });
    await sendFile(response, body);
  } finally {
    await body.file.close();
  }
}

async function sendFile(response: ServerResponse, { file, start, length }: FilePart): Promise<void> {
  if (length > ONE_PIECE_BYTES) {
    await pipeline(file.createReadStream({ start, end: start + length - 1, autoClose: false }), response);
    return;
  }
  const bytes = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(bytes, 0, length, start);
  // Ending short would look like a whole answer to no client: the promised length is missing.
  response.end(bytes.subarray(0, bytesRead));
}
