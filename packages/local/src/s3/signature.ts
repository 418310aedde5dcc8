import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Parameter } from "./request.ts";

export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** Day, region and service a signature is good for. */
export type Scope = { readonly date: string; readonly region: string; readonly service: string };

export const ALGORITHM = "AWS4-HMAC-SHA256";
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/** Hashes a buffer, or a text whose characters are bytes (as header values are). */
export function sha256Hex(data: Buffer | string): string {
  const hash = createHash("sha256");
  return (typeof data === "string" ? hash.update(data, "latin1") : hash.update(data)).digest("hex");
}

export function hmacHex(key: Buffer, data: string): string {
  return createHmac("sha256", key).update(data, "latin1").digest("hex");
}

/** Derives the key of one day, region and service from the secret. */
export function signingKey(secretAccessKey: string, { date, region, service }: Scope): Buffer {
  const step = (key: Buffer | string, data: string) => createHmac("sha256", key).update(data).digest();
  return step(step(step(step(`AWS4${secretAccessKey}`, date), region), service), "aws4_request");
}

export function scopePath({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

/** What is signed, in the one spelling both sides derive. S3 encodes the path once and does not normalise it. */
export function canonicalRequest(parts: {
  readonly method: string;
  readonly path: string;
  readonly query: readonly Parameter[];
  readonly headers: ReadonlyMap<string, string>;
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
}): string {
  const query = parts.query
    .map(({ name, value }) => ({ name: encode(name), value: encode(value) }))
    .sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`);
  const headers = parts.signedHeaders.map(
    (name) => `${name}:${(parts.headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`,
  );
  return [
    parts.method,
    parts.path.split("/").map(encode).join("/"),
    query.join("&"),
    headers.join(""),
    parts.signedHeaders.join(";"),
    parts.payloadHash,
  ].join("\n");
}

/** `time` is the `YYYYMMDD'T'HHMMSS'Z'` of the request. */
export function stringToSign(time: string, scope: Scope, canonical: string): string {
  return [ALGORITHM, time, scopePath(scope), sha256Hex(canonical)].join("\n");
}

/** Compares two hexadecimal signatures without telling by its duration where they differ. */
export function sameSignature(given: string, expected: string): boolean {
  const bytes = Buffer.from(given);
  const wanted = Buffer.from(expected);
  return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
}

/** Milliseconds since 1970 of `YYYYMMDD'T'HHMMSS'Z'`; undefined when it is none. */
export function parseTime(time: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const millis = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(millis) ? undefined : millis;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
