import { type Answer, xmlAnswer } from "./answer.ts";
import type { Context } from "./context.ts";
import { parameter, type S3Request } from "./request.ts";
import { notImplemented, S3Error } from "./s3-error.ts";
import { tag, wrap, xmlDocument } from "./xml.ts";

const MAX_KEYS = 1000;

/** ListObjectsV2. A continuation token is the last item of the page before it, so it stays good for ever. */
export async function listObjects({ store }: Context, request: S3Request): Promise<Answer> {
  const bucket = store.bucket(request.bucket);
  const version = parameter(request, "list-type");
  if (version !== "2") throw notImplemented("ListObjects (version 1); use ListObjectsV2");
  const text = encoder(parameter(request, "encoding-type"));
  const optional = (name: string, value: string | undefined) => (value === undefined ? "" : tag(name, value));
  const prefix = parameter(request, "prefix") ?? "";
  const delimiter = parameter(request, "delimiter");
  const startAfter = parameter(request, "start-after");
  const token = parameter(request, "continuation-token");
  const maxKeys = readMaxKeys(parameter(request, "max-keys"));
  const { keys, prefixes, next } = bucket.list({
    prefix,
    delimiter: delimiter ?? "",
    after: token === undefined ? (startAfter ?? "") : readToken(token),
    limit: maxKeys,
  });
  const contents = keys.map((key) => {
    const record = bucket.get(key);
    if (record === undefined) throw new Error(`Cannot list "${key}": the index names a key without a record`);
    return wrap(
      "Contents",
      tag("Key", text(key)),
      tag("LastModified", new Date(record.lastModified).toISOString()),
      tag("ETag", `"${record.etag}"`),
      tag("ChecksumAlgorithm", record.checksum.algorithm),
      tag("ChecksumType", record.checksum.type),
      tag("Size", record.size),
      tag("StorageClass", "STANDARD"),
    );
  });
  return xmlAnswer(
    200,
    xmlDocument(
      "ListBucketResult",
      tag("Name", request.bucket),
      tag("Prefix", text(prefix)),
      optional("Delimiter", delimiter && text(delimiter)),
      optional("EncodingType", parameter(request, "encoding-type")),
      optional("StartAfter", startAfter && text(startAfter)),
      optional("ContinuationToken", token),
      optional("NextContinuationToken", next === undefined ? undefined : writeToken(next)),
      tag("KeyCount", keys.length + prefixes.length),
      tag("MaxKeys", maxKeys),
      tag("IsTruncated", next !== undefined),
      ...contents,
      ...prefixes.map((common) => wrap("CommonPrefixes", tag("Prefix", text(common)))),
    ),
  );
}

function encoder(type: string | undefined): (text: string) => string {
  if (type === undefined) return (text) => text;
  if (type !== "url")
    throw invalidArgument("encoding-type", type, "Invalid Encoding Method specified in Request");
  return (text) => encodeURIComponent(text).replaceAll("%2F", "/");
}

function readMaxKeys(value: string | undefined): number {
  if (value === undefined) return MAX_KEYS;
  if (!/^\d{1,10}$/.test(value)) {
    throw invalidArgument("max-keys", value, "Provided max-keys not an integer or within integer range");
  }
  return Math.min(Number(value), MAX_KEYS);
}

function writeToken(last: string): string {
  return Buffer.from(last).toString("base64url");
}

function readToken(token: string): string {
  const last = Buffer.from(token, "base64url").toString();
  if (token === "" || writeToken(last) !== token) {
    throw invalidArgument("continuation-token", token, "The continuation token provided is incorrect");
  }
  return last;
}

function invalidArgument(name: string, value: string, message: string): S3Error {
  return new S3Error("InvalidArgument", message, { ArgumentName: name, ArgumentValue: value });
}
