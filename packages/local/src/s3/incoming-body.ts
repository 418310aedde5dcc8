import { createHash } from "node:crypto";
import type { Payload } from "./authentication.ts";
import {
  type Algorithm,
  type Checksum,
  checkDigest,
  checkEncoding,
  createDigest,
  DEFAULT_ALGORITHM,
  readAlgorithm,
  severalChecksums,
  statedChecksum,
} from "./checksum.ts";
import { decodeChunks } from "./chunked-body.ts";
import type { S3Request } from "./request.ts";
import { notImplemented, S3Error } from "./s3-error.ts";

/** What a client says about the bytes it sends; all of it is verified. */
export type Claims = {
  /** Bytes after decoding. */
  readonly size?: number;
  /** Bytes a POST policy allows. */
  readonly range?: { readonly min: number; readonly max: number };
  /** Base64. */
  readonly md5?: string;
  /** Hexadecimal, from the signature. */
  readonly sha256?: string;
  readonly checksum?: { readonly algorithm: Algorithm; readonly value: string };
  /** The checksum that follows the body. */
  readonly trailer?: Algorithm;
};

export type Digests = {
  readonly size: number;
  /** Hexadecimal. */
  readonly md5: string;
  readonly checksum: Checksum;
};

/** The most one request may store. */
export const MAX_OBJECT_BYTES = 5 * 1024 ** 3;

/** A body with what is claimed of it; `trailers` fill up while `bytes` are read. */
export type IncomingBody = {
  readonly bytes: () => AsyncIterable<Buffer>;
  readonly trailers: ReadonlyMap<string, string>;
  readonly claims: Claims;
};

/** Reads what the headers claim of the body, before any of it is asked for; throws S3's 400s on malformed claims. */
export function incomingBody(request: S3Request, payload: Payload): IncomingBody {
  const { headers } = request;
  const checksum = statedChecksum(headers);
  const trailer = readTrailer(headers.get("x-amz-trailer"));
  if (checksum !== undefined && trailer !== undefined) throw severalChecksums();
  const md5 = headers.get("content-md5");
  if (md5 !== undefined && Buffer.from(md5, "base64").length !== 16) {
    throw new S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.");
  }
  if (headers.has("x-amz-sdk-checksum-algorithm") && checksum === undefined && trailer === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  }
  const claims: Claims = {
    size: readSize(headers, payload),
    ...(md5 !== undefined && { md5 }),
    ...(payload.type === "signed" && { sha256: payload.sha256 }),
    ...(checksum !== undefined && { checksum }),
    ...(trailer !== undefined && { trailer }),
  };
  const trailers = new Map<string, string>();
  const bytes = () =>
    payload.type === "chunked" ? decodeChunks(request.body(), trailers, payload.signing) : request.body();
  return { bytes, trailers, claims };
}

/**
 * Hands every chunk to `sink` and verifies the claims at the end. Throws `BadDigest`, `XAmzContentSHA256Mismatch`,
 * `IncompleteBody`, `EntityTooLarge` (as soon as it is) or `EntityTooSmall`; the sink's bytes are void then.
 */
export async function consume(
  { bytes, trailers, claims }: IncomingBody,
  sink: (chunk: Buffer) => Promise<void>,
  algorithm = claims.checksum?.algorithm ?? claims.trailer ?? DEFAULT_ALGORITHM,
): Promise<Digests> {
  const md5 = createHash("md5");
  const sha256 = claims.sha256 === undefined ? undefined : createHash("sha256");
  const digest = createDigest(algorithm);
  let size = 0;
  for await (const chunk of bytes()) {
    size += chunk.length;
    checkMaximum(size, claims);
    md5.update(chunk);
    sha256?.update(chunk);
    digest.update(chunk);
    await sink(chunk);
  }
  checkSize(size, claims);
  const payloadHash = sha256?.digest("hex");
  if (claims.sha256 !== undefined && payloadHash !== undefined && payloadHash !== claims.sha256) {
    throw new S3Error(
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      { ClientComputedContentSHA256: claims.sha256, S3ComputedContentSHA256: payloadHash },
    );
  }
  const md5Bytes = md5.digest();
  if (claims.md5 !== undefined && md5Bytes.toString("base64") !== claims.md5) {
    throw new S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.", {
      ExpectedDigest: claims.md5,
      CalculatedDigest: md5Bytes.toString("base64"),
    });
  }
  const value = digest.digest().toString("base64");
  const stated = claims.checksum?.value ?? trailingChecksum(claims, trailers);
  if (stated !== undefined) checkDigest(algorithm, stated, value);
  return { size, md5: md5Bytes.toString("hex"), checksum: { algorithm, value, type: "FULL_OBJECT" } };
}

/** Reads a small body whole, verified; throws `EntityTooLarge` above `max` bytes. */
export async function readWhole(body: IncomingBody, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await consume({ ...body, claims: { ...body.claims, range: { min: 0, max } } }, async (chunk) => {
    chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

function readSize(headers: ReadonlyMap<string, string>, payload: Payload): number {
  const header = payload.type === "chunked" ? "x-amz-decoded-content-length" : "content-length";
  const length = headers.get(header);
  if (length === undefined || !/^\d{1,15}$/.test(length)) {
    throw new S3Error(
      "MissingContentLength",
      `You must provide the ${header === "content-length" ? "Content-Length" : header} HTTP header.`,
    );
  }
  const size = Number(length);
  if (size > MAX_OBJECT_BYTES) throw tooLarge(size, MAX_OBJECT_BYTES);
  return size;
}

function readTrailer(header: string | undefined): Algorithm | undefined {
  if (header === undefined) return undefined;
  const name = /^x-amz-checksum-([a-z0-9]+)$/.exec(header.trim().toLowerCase())?.[1];
  if (name === undefined) throw notImplemented(`the trailing header "${header}"`);
  return readAlgorithm(name);
}

function trailingChecksum({ trailer }: Claims, trailers: ReadonlyMap<string, string>): string | undefined {
  if (trailer === undefined) return undefined;
  const value = trailers.get(`x-amz-checksum-${trailer.toLowerCase()}`);
  if (value === undefined) {
    throw new S3Error(
      "MalformedTrailerError",
      "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    );
  }
  checkEncoding(trailer, value);
  return value;
}

function checkMaximum(size: number, { size: stated, range }: Claims): void {
  if (range !== undefined && size > range.max) throw tooLarge(size, range.max);
  if (stated !== undefined && size > stated) throw incomplete();
}

function checkSize(size: number, { size: stated, range }: Claims): void {
  if (stated !== undefined && size < stated) throw incomplete();
  if (range !== undefined && size < range.min) {
    throw new S3Error(
      "EntityTooSmall",
      "Your proposed upload is smaller than the minimum allowed object size.",
      { ProposedSize: String(size), MinSizeAllowed: String(range.min) },
    );
  }
}

function incomplete(): S3Error {
  return new S3Error(
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
  );
}

function tooLarge(size: number, max: number): S3Error {
  return new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.", {
    ProposedSize: String(size),
    MaxSizeAllowed: String(max),
  });
}
