import * as z from "zod";
import { Checksum } from "./checksum.ts";
import { notImplemented, S3Error } from "./s3-error.ts";

/** Everything about an object but its bytes; kept as JSON beside them. */
export const ObjectRecord = z.strictObject({
  key: z.string(),
  /** Name of the file with the bytes. */
  body: z.string(),
  size: z.int().nonnegative(),
  /** Without quotes: MD5 in hexadecimal, for multipart uploads of the parts' MD5s and with `-<parts>`. */
  etag: z.string(),
  /** Milliseconds since 1970, whole seconds as in S3. */
  lastModified: z.int(),
  checksum: Checksum,
  /** Response headers the writer chose: lower-case names, values as bytes (latin1). */
  headers: z.record(z.string(), z.string()),
});
export type ObjectRecord = z.infer<typeof ObjectRecord>;

const KEPT = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];
const META = "x-amz-meta-";
const MAX_META_BYTES = 2048;

/**
 * Picks the headers that are stored with an object from those of a request (or the fields of a form).
 * Throws `MetadataTooLarge` above 2 KB of `x-amz-meta-` and `NotImplemented` on options that would change storage.
 */
export function storedHeaders(headers: ReadonlyMap<string, string>): Record<string, string> {
  checkStorageOptions(headers);
  const stored: Record<string, string> = {};
  let metaBytes = 0;
  for (const [name, value] of headers) {
    if (name.startsWith(META)) {
      metaBytes += name.length - META.length + value.length;
      stored[name] = value.trim();
    } else if (KEPT.includes(name)) {
      stored[name] = value;
    }
  }
  if (metaBytes > MAX_META_BYTES) {
    throw new S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", {
      Size: String(metaBytes),
      MaxSizeAllowed: String(MAX_META_BYTES),
    });
  }
  return withoutTransferCoding(stored);
}

/** `aws-chunked` describes the transfer only; S3 does not store it. */
function withoutTransferCoding(stored: Record<string, string>): Record<string, string> {
  const { "content-encoding": encoding, ...rest } = stored;
  const codings = (encoding ?? "")
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "aws-chunked");
  return codings.length === 0 ? rest : { ...rest, "content-encoding": codings.join(",") };
}

/** Options with one value that is true of every object here anyway. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "x-amz-acl": ["private", "bucket-owner-full-control"],
  acl: ["private", "bucket-owner-full-control"],
  "x-amz-storage-class": ["STANDARD"],
  "x-amz-server-side-encryption": ["AES256"],
};

function checkStorageOptions(headers: ReadonlyMap<string, string>): void {
  for (const [name, allowed] of Object.entries(OPTIONS)) {
    const value = headers.get(name);
    if (value !== undefined && !allowed.includes(value)) throw notImplemented(`"${name}: ${value}"`);
  }
}
