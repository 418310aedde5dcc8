import { createHash } from "node:crypto";
import { createByteReader } from "./byte-reader.ts";
import { S3Error } from "./s3-error.ts";
import { hmacHex, type Scope, sameSignature, scopePath, sha256Hex } from "./signature.ts";

/** What signs each chunk: the key of the request, and its own signature as the first link of the chain. */
export type ChunkSigning = {
  readonly key: Buffer;
  readonly scope: Scope;
  readonly time: string;
  readonly seed: string;
};

const CRLF = Buffer.from("\r\n");
const MAX_LINE = 1024;
const MAX_TRAILERS = 16;

/**
 * Yields the bytes inside an `aws-chunked` body. Trailing headers are put into `trailers` (lower-case names) before
 * the iteration ends. With `signing`, the signature of each chunk and of the trailers is verified; bytes of a chunk
 * come out before its signature is known, so whoever stores them must not publish them before the end.
 * Throws `IncompleteBody`, `SignatureDoesNotMatch`, `InvalidRequest` and `MalformedTrailerError`.
 */
export async function* decodeChunks(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
  signing?: ChunkSigning,
): AsyncGenerator<Buffer> {
  const reader = createByteReader(source, incomplete);
  let previous = signing?.seed ?? "";
  try {
    for (;;) {
      const head = readHead((await reader.until(CRLF, MAX_LINE, malformedChunk)).toString("latin1"));
      const hash = createHash("sha256");
      for await (const bytes of reader.take(head.size)) {
        if (signing !== undefined) hash.update(bytes);
        yield bytes;
      }
      if (signing !== undefined) {
        const expected = signChunk(signing, previous, hash.digest("hex"));
        if (!sameSignature(head.signature, expected)) throw wrongSignature();
        previous = expected;
      }
      if (head.size === 0) break;
      if ((await reader.until(CRLF, 0, malformedChunk)).length > 0) throw malformedChunk();
    }
    const lines: string[] = [];
    // Some clients end the body right behind the last chunk instead of with an empty line.
    while (!(await reader.ended())) {
      const line = (await reader.until(CRLF, MAX_LINE, malformedTrailer)).toString("latin1").trimEnd();
      if (line === "") break;
      if (lines.push(line) > MAX_TRAILERS) throw malformedTrailer();
    }
    readTrailers(lines, trailers, signing, previous);
  } finally {
    await reader.close();
  }
}

function readHead(line: string): { size: number; signature: string } {
  const match = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (match === null) throw malformedChunk();
  return { size: Number.parseInt(match[1] ?? "", 16), signature: match[2] ?? "" };
}

function readTrailers(
  lines: readonly string[],
  trailers: Map<string, string>,
  signing: ChunkSigning | undefined,
  previous: string,
): void {
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) throw malformedTrailer();
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const signature = trailers.get("x-amz-trailer-signature");
  trailers.delete("x-amz-trailer-signature");
  if (signing === undefined || (trailers.size === 0 && signature === undefined)) return;
  const canonical = [...trailers].map(([name, value]) => `${name}:${value}\n`).join("");
  const toSign = [
    "AWS4-HMAC-SHA256-TRAILER",
    signing.time,
    scopePath(signing.scope),
    previous,
    sha256Hex(canonical),
  ].join("\n");
  if (!sameSignature(signature ?? "", hmacHex(signing.key, toSign))) throw wrongSignature();
}

function signChunk({ key, scope, time }: ChunkSigning, previous: string, hash: string): string {
  return hmacHex(
    key,
    ["AWS4-HMAC-SHA256-PAYLOAD", time, scopePath(scope), previous, sha256Hex(""), hash].join("\n"),
  );
}

function incomplete(): S3Error {
  return new S3Error("IncompleteBody", "The request body terminated unexpectedly");
}

function malformedChunk(): S3Error {
  return new S3Error("InvalidRequest", "The aws-chunked body is not well-formed");
}

function malformedTrailer(): S3Error {
  return new S3Error(
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}

function wrongSignature(): S3Error {
  return new S3Error(
    "SignatureDoesNotMatch",
    "The chunk or trailer signature we calculated does not match the signature you provided. Check your key and signing method.",
  );
}
