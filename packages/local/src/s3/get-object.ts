import type { Answer } from "./answer.ts";
import { headerValue } from "./answer.ts";
import { checksumHeaders } from "./checksum.ts";
import { checkRead } from "./conditions.ts";
import type { Context } from "./context.ts";
import type { ObjectRecord } from "./object-record.ts";
import type { S3Request } from "./request.ts";
import { S3Error } from "./s3-error.ts";

/** Query parameters of a GET or HEAD, and the response header each replaces. */
export const OVERRIDES: Readonly<Record<string, string>> = {
  "response-cache-control": "cache-control",
  "response-content-disposition": "content-disposition",
  "response-content-encoding": "content-encoding",
  "response-content-language": "content-language",
  "response-content-type": "content-type",
  "response-expires": "expires",
};

export async function getObject({ store }: Context, request: S3Request): Promise<Answer> {
  const opened = await store.bucket(request.bucket).open(request.key);
  if (opened === undefined) throw noSuchKey(request.key);
  const { record, file } = opened;
  try {
    const answer = describe(request, record);
    if (answer.status === 304) {
      await file.close();
      return answer;
    }
    const { start, length } = answer.part;
    return { status: answer.status, headers: answer.headers, body: { file, start, length } };
  } catch (error) {
    await file.close();
    throw error;
  }
}

export async function headObject({ store }: Context, request: S3Request): Promise<Answer> {
  const record = store.bucket(request.bucket).get(request.key);
  if (record === undefined) throw noSuchKey(request.key);
  const { status, headers, part } = describe(request, record);
  return {
    status,
    headers: status === 304 ? headers : { ...headers, "content-length": String(part.length) },
  };
}

export function noSuchKey(key: string): S3Error {
  return new S3Error("NoSuchKey", "The specified key does not exist.", { Key: key });
}

type Part = { readonly start: number; readonly length: number };
type Description = Pick<Answer, "headers"> & { readonly status: 200 | 206 | 304; readonly part: Part };

function describe(request: S3Request, record: ObjectRecord): Description {
  const whole = { start: 0, length: record.size };
  const identity = {
    etag: `"${record.etag}"`,
    "last-modified": new Date(record.lastModified).toUTCString(),
  };
  if (checkRead(request.headers, record) === "not_modified") {
    const { "cache-control": cacheControl } = record.headers;
    const caching = cacheControl === undefined ? {} : { "cache-control": cacheControl };
    return { status: 304, headers: { ...identity, ...caching }, part: whole };
  }
  const part = readRange(request.headers.get("range"), record.size);
  const headers = {
    "content-type": "binary/octet-stream",
    ...record.headers,
    ...overrides(request),
    ...identity,
    "accept-ranges": "bytes",
    "x-amz-server-side-encryption": "AES256",
  };
  if (part !== undefined) {
    const range = `bytes ${part.start}-${part.start + part.length - 1}/${record.size}`;
    return { status: 206, headers: { ...headers, "content-range": range }, part };
  }
  // The checksum is one of the whole object: with a range it would be taken for that of the part.
  const wanted = request.headers.get("x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
  const checksum = wanted ? checksumHeaders(record.checksum) : {};
  return { status: 200, headers: { ...headers, ...checksum }, part: whole };
}

function overrides({ query }: S3Request): Record<string, string> {
  return Object.fromEntries(
    query.flatMap(({ name, value }) => {
      const header = OVERRIDES[name];
      return header === undefined ? [] : [[header, headerValue(name, value)]];
    }),
  );
}

/** One range of bytes; undefined, and so the whole object, for none, several or a malformed one, as in S3. */
function readRange(header: string | undefined, size: number): Part | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end) {
    throw new S3Error("InvalidRange", "The requested range is not satisfiable", {
      RangeRequested: header ?? "",
      ActualObjectSize: String(size),
    });
  }
  return { start, length: end - start + 1 };
}
