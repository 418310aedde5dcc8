import type { ObjectRecord } from "./object-record.ts";
import { notImplemented, S3Error } from "./s3-error.ts";

type Headers = ReadonlyMap<string, string>;
type State = Pick<ObjectRecord, "etag" | "lastModified">;

/** What must hold of a key at the moment it is written or deleted. */
export type WriteCondition = { readonly ifNoneMatch: boolean; readonly ifMatch?: string };

/** Reads `If-None-Match` and `If-Match` of a write; S3 knows only `*` for the first. */
export function readWriteCondition(headers: Headers): WriteCondition | undefined {
  const ifNoneMatch = headers.get("if-none-match");
  const ifMatch = headers.get("if-match");
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== "*") {
    throw notImplemented(`writes with "If-None-Match: ${ifNoneMatch}"`);
  }
  if (ifNoneMatch === undefined && ifMatch === undefined) return undefined;
  return { ifNoneMatch: ifNoneMatch !== undefined, ...(ifMatch !== undefined && { ifMatch }) };
}

/** Throws `PreconditionFailed`, or `NoSuchKey` for `If-Match` without an object. */
export function checkWrite(condition: WriteCondition | undefined, current: State | undefined): void {
  if (condition === undefined) return;
  if (condition.ifNoneMatch && current !== undefined) throw failed("If-None-Match");
  if (condition.ifMatch !== undefined) {
    if (current === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.");
    if (!matches(condition.ifMatch, current.etag)) throw failed("If-Match");
  }
}

/**
 * Evaluates the four conditions of a read in S3's order: "modified" means go on, "not_modified" answer 304.
 * Throws `PreconditionFailed`. `prefix` is `x-amz-copy-source-` for the source of a copy.
 */
export function checkRead(headers: Headers, object: State, prefix = ""): "modified" | "not_modified" {
  const ifMatch = headers.get(`${prefix}if-match`);
  const ifNoneMatch = headers.get(`${prefix}if-none-match`);
  const modifiedSince = httpDate(headers.get(`${prefix}if-modified-since`));
  const unmodifiedSince = httpDate(headers.get(`${prefix}if-unmodified-since`));
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, object.etag)) throw failed("If-Match");
  } else if (unmodifiedSince !== undefined && object.lastModified > unmodifiedSince) {
    throw failed("If-Unmodified-Since");
  }
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, object.etag) ? "not_modified" : "modified";
  return modifiedSince !== undefined && object.lastModified <= modifiedSince ? "not_modified" : "modified";
}

export function failed(condition: string): S3Error {
  return new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    Condition: condition,
  });
}

/** True when a list of quoted, weak or bare entity tags, or `*`, names `etag`. */
function matches(list: string, etag: string): boolean {
  return list
    .split(",")
    .map((tag) =>
      tag
        .trim()
        .replace(/^W\//, "")
        .replace(/^"(.*)"$/, "$1"),
    )
    .some((tag) => tag === "*" || tag === etag);
}

function httpDate(header: string | undefined): number | undefined {
  const millis = Date.parse(header ?? "");
  return Number.isNaN(millis) ? undefined : millis;
}
