import { createHash } from "node:crypto";
import { type Answer, xmlAnswer } from "./answer.ts";
import type { Payload } from "./authentication.ts";
import {
  Algorithm,
  type Checksum,
  checkDigest,
  checksumElement,
  checksumHeader,
  createDigest,
} from "./checksum.ts";
import { readWriteCondition } from "./conditions.ts";
import type { Context } from "./context.ts";
import { incomingBody, readWhole } from "./incoming-body.ts";
import { findUpload } from "./multipart-operations.ts";
import type { PartRecord, Upload } from "./multipart-upload.ts";
import type { S3Request } from "./request.ts";
import { S3Error } from "./s3-error.ts";
import { tag, xmlDocument } from "./xml.ts";
import { childText, malformed, readXml, type XmlElement } from "./xml-reader.ts";

const MIN_PART_BYTES = 5 * 1024 * 1024;
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** Joins the parts into one file, verifies it, and publishes it as the object. */
export async function completeUpload(
  context: Context,
  request: S3Request,
  payload: Payload,
): Promise<Answer> {
  const { store, uploads } = context;
  const upload = findUpload(context, request);
  const { key } = upload;
  const bucket = store.bucket(upload.bucket);
  const xml = await readWhole(incomingBody(withoutObjectChecksums(request), payload), MAX_BODY_BYTES);
  const parts = chooseParts(upload, readXml(xml.toString("utf8")));
  const guard = bucket.guard(key, readWriteCondition(request.headers));
  try {
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    checkStatedSize(request, size);
    const body = { bytes: () => uploads.read(upload, parts), trailers: new Map(), claims: { size } };
    const incoming = await store.receive(body, upload.algorithm ?? undefined);
    const checksum = upload.type === "COMPOSITE" ? compose(upload.algorithm, parts) : incoming.checksum;
    const record = bucket.publish(
      { ...guard, check: () => checkAll(context, request, checksum, () => guard.check()) },
      incoming,
      { headers: upload.headers, etag: `${composeEtag(parts)}-${parts.length}`, checksum },
    );
    await uploads.remove(upload);
    return xmlAnswer(
      200,
      xmlDocument(
        "CompleteMultipartUploadResult",
        tag("Location", `http://${request.headers.get("host") ?? ""}${request.path}`),
        tag("Bucket", upload.bucket),
        tag("Key", key),
        tag("ETag", `"${record.etag}"`),
        tag(checksumElement(checksum.algorithm), checksum.value),
        tag("ChecksumType", checksum.type),
      ),
    );
  } finally {
    guard.release();
  }
}

/** Runs right before the object appears: of two completions of one upload, the second finds it gone. */
function checkAll(context: Context, request: S3Request, checksum: Checksum, checkWrite: () => void): void {
  findUpload(context, request);
  const stated = request.headers.get(checksumHeader(checksum.algorithm));
  if (stated !== undefined) checkDigest(checksum.algorithm, stated, checksum.value);
  const type = request.headers.get("x-amz-checksum-type")?.toUpperCase();
  if (type !== undefined && type !== checksum.type) {
    throw new S3Error(
      "BadDigest",
      `The upload was created with the ${checksum.type} checksum mode, not ${type}.`,
    );
  }
  checkWrite();
}

/** The checksum headers of this request are about the object, not about the XML in its body. */
function withoutObjectChecksums(request: S3Request): S3Request {
  const about = new Set(Algorithm.options.map(checksumHeader));
  const headers = new Map([...request.headers].filter(([name]) => !about.has(name)));
  return { ...request, headers };
}

/** Looks the listed parts up; throws `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall` or `MalformedXML`. */
function chooseParts(upload: Upload, root: XmlElement): PartRecord[] {
  const listed = root.children;
  if (root.name !== "CompleteMultipartUpload" || listed.length === 0) throw malformed();
  const parts = listed.map((element) => choosePart(upload, element));
  parts.forEach(({ number }, index) => {
    const previous = parts[index - 1]?.number ?? 0;
    if (number <= previous || (upload.type === "COMPOSITE" && number !== previous + 1)) {
      throw new S3Error(
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
      );
    }
  });
  const small = parts.slice(0, -1).find(({ size }) => size < MIN_PART_BYTES);
  if (small !== undefined) {
    throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
      PartNumber: String(small.number),
      ETag: small.etag,
      ProposedSize: String(small.size),
      MinSizeAllowed: String(MIN_PART_BYTES),
    });
  }
  return parts;
}

function choosePart(upload: Upload, element: XmlElement): PartRecord {
  const number = childText(element, "PartNumber")?.trim() ?? "";
  const etag = childText(element, "ETag")
    ?.trim()
    .replace(/^"(.*)"$/, "$1");
  if (element.name !== "Part" || !/^\d{1,5}$/.test(number) || etag === undefined) throw malformed();
  const part = upload.parts.get(Number(number));
  const { algorithm } = upload;
  const stated = algorithm === null ? undefined : childText(element, checksumElement(algorithm))?.trim();
  if (part?.etag !== etag || (stated !== undefined && part.checksum.value !== stated)) {
    throw new S3Error(
      "InvalidPart",
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      { UploadId: upload.id, PartNumber: number, ETag: etag },
    );
  }
  if (stated === undefined && algorithm !== null && upload.type === "COMPOSITE") {
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  return part;
}

function checkStatedSize(request: S3Request, size: number): void {
  const stated = request.headers.get("x-amz-mp-object-size");
  if (stated !== undefined && stated !== String(size)) {
    throw new S3Error(
      "InvalidRequest",
      `The provided 'x-amz-mp-object-size' header value ${stated} does not match what was computed: ${size}`,
    );
  }
}

function compose(algorithm: Upload["algorithm"], parts: readonly PartRecord[]): Checksum {
  if (algorithm === null) throw new Error("Cannot combine part checksums: the upload has no algorithm");
  const digest = createDigest(algorithm);
  for (const { checksum } of parts) digest.update(Buffer.from(checksum.value, "base64"));
  const value = `${digest.digest().toString("base64")}-${parts.length}`;
  return { algorithm, value, type: "COMPOSITE" };
}

function composeEtag(parts: readonly PartRecord[]): string {
  const md5 = createHash("md5");
  for (const { etag } of parts) md5.update(Buffer.from(etag, "hex"));
  return md5.digest("hex");
}
