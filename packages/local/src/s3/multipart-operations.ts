import { type Answer, xmlAnswer } from "./answer.ts";
import type { Payload } from "./authentication.ts";
import { checksumElement, checksumHeader, readAlgorithm } from "./checksum.ts";
import type { Context } from "./context.ts";
import { incomingBody } from "./incoming-body.ts";
import type { Upload } from "./multipart-upload.ts";
import { storedHeaders } from "./object-record.ts";
import { parameter, type S3Request } from "./request.ts";
import { S3Error } from "./s3-error.ts";
import { tag, wrap, xmlDocument } from "./xml.ts";

const MAX_PART_NUMBER = 10_000;
const MAX_PARTS_LISTED = 1000;

export async function createUpload({ store, uploads }: Context, request: S3Request): Promise<Answer> {
  store.bucket(request.bucket);
  const { bucket, key } = request;
  const name = request.headers.get("x-amz-checksum-algorithm");
  const algorithm = name === undefined ? null : readAlgorithm(name);
  const type = readType(request.headers.get("x-amz-checksum-type"), algorithm);
  const upload = uploads.create({ bucket, key, headers: storedHeaders(request.headers), algorithm, type });
  return xmlAnswer(
    200,
    xmlDocument(
      "InitiateMultipartUploadResult",
      tag("Bucket", bucket),
      tag("Key", key),
      tag("UploadId", upload.id),
    ),
    algorithm === null ? {} : { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type },
  );
}

export async function uploadPart(
  { store, uploads }: Context,
  request: S3Request,
  payload: Payload,
): Promise<Answer> {
  const upload = findUpload({ uploads }, request);
  const number = Number(parameter(request, "partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > MAX_PART_NUMBER) {
    throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", {
      ArgumentName: "partNumber",
      ArgumentValue: parameter(request, "partNumber") ?? "",
    });
  }
  const body = incomingBody(request, payload);
  const stated = body.claims.checksum?.algorithm ?? body.claims.trailer ?? null;
  checkAlgorithm(upload, stated);
  const part = uploads.addPart(upload, number, await store.receive(body, upload.algorithm ?? undefined));
  const checksum = stated === null ? {} : { [checksumHeader(stated)]: part.checksum.value };
  return {
    status: 200,
    headers: { etag: `"${part.etag}"`, "x-amz-server-side-encryption": "AES256", ...checksum },
  };
}

export async function abortUpload({ uploads }: Context, request: S3Request): Promise<Answer> {
  await uploads.remove(findUpload({ uploads }, request));
  return { status: 204, headers: {} };
}

export async function listParts({ uploads }: Context, request: S3Request): Promise<Answer> {
  const upload = findUpload({ uploads }, request);
  const after = readCount(request, "part-number-marker", 0);
  const maxParts = Math.min(readCount(request, "max-parts", MAX_PARTS_LISTED), MAX_PARTS_LISTED);
  const parts = [...upload.parts.values()].filter(({ number }) => number > after);
  const page = parts.sort((a, b) => a.number - b.number).slice(0, maxParts);
  const { algorithm, type } = upload;
  return xmlAnswer(
    200,
    xmlDocument(
      "ListPartsResult",
      tag("Bucket", upload.bucket),
      tag("Key", upload.key),
      tag("UploadId", upload.id),
      tag("PartNumberMarker", after),
      tag("NextPartNumberMarker", page.at(-1)?.number ?? 0),
      tag("MaxParts", maxParts),
      tag("IsTruncated", page.length < parts.length),
      algorithm === null ? "" : tag("ChecksumAlgorithm", algorithm) + tag("ChecksumType", type),
      ...page.map((part) =>
        wrap(
          "Part",
          tag("PartNumber", part.number),
          tag("LastModified", new Date(part.lastModified).toISOString()),
          tag("ETag", `"${part.etag}"`),
          tag("Size", part.size),
          algorithm === null ? "" : tag(checksumElement(algorithm), part.checksum.value),
        ),
      ),
      tag("StorageClass", "STANDARD"),
    ),
  );
}

/** The upload that key and `uploadId` name; throws `NoSuchUpload`. */
export function findUpload({ uploads }: Pick<Context, "uploads">, request: S3Request): Upload {
  return uploads.get(parameter(request, "uploadId") ?? "", request.bucket, request.key);
}

/**
 * A part has the checksum its upload announced. Of a whole object's checksum a part needs none, and where none was
 * announced any will do, which is how SDKs upload by default.
 */
function checkAlgorithm({ algorithm, type }: Upload, stated: Upload["algorithm"]): void {
  const optional = algorithm === null || (stated === null && type === "FULL_OBJECT");
  if (optional || stated === algorithm) return;
  const actual = stated?.toLowerCase() ?? "null";
  throw new S3Error(
    "InvalidRequest",
    `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${actual}`,
  );
}

/** Checksums of parts are combined for what cannot be computed over the whole; CRC64NVME always is. */
function readType(stated: string | undefined, algorithm: Upload["algorithm"]): Upload["type"] {
  const type = stated?.toUpperCase();
  if (algorithm === null || algorithm === "CRC64NVME") {
    if (type === "COMPOSITE") throw wrongType(type, algorithm);
    return "FULL_OBJECT";
  }
  if (type === undefined || type === "COMPOSITE") return "COMPOSITE";
  if (type !== "FULL_OBJECT" || algorithm.startsWith("SHA")) throw wrongType(type, algorithm);
  return type;
}

function wrongType(type: string, algorithm: Upload["algorithm"]): S3Error {
  return new S3Error(
    "InvalidRequest",
    `The ${type} checksum type cannot be used with the ${algorithm?.toLowerCase() ?? "default"} checksum algorithm.`,
  );
}

function readCount(request: S3Request, name: string, missing: number): number {
  const value = parameter(request, name);
  if (value === undefined) return missing;
  if (!/^\d{1,9}$/.test(value)) {
    throw new S3Error("InvalidArgument", `Provided ${name} not an integer or within integer range`, {
      ArgumentName: name,
      ArgumentValue: value,
    });
  }
  return Number(value);
}
