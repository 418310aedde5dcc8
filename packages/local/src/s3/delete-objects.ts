import { type Answer, xmlAnswer } from "./answer.ts";
import type { Payload } from "./authentication.ts";
import { readWriteCondition } from "./conditions.ts";
import type { Context } from "./context.ts";
import { incomingBody, readWhole } from "./incoming-body.ts";
import type { S3Request } from "./request.ts";
import { notImplemented, S3Error } from "./s3-error.ts";
import { tag, wrap, xmlDocument } from "./xml.ts";
import { childText, malformed, readXml, type XmlElement } from "./xml-reader.ts";

const MAX_KEYS = 1000;
/** Enough for 1000 of the longest keys with every byte escaped. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

export async function deleteObject({ store }: Context, request: S3Request): Promise<Answer> {
  store.bucket(request.bucket).remove(request.key, readWriteCondition(request.headers));
  return { status: 204, headers: {} };
}

export async function deleteObjects(
  { store }: Context,
  request: S3Request,
  payload: Payload,
): Promise<Answer> {
  const bucket = store.bucket(request.bucket);
  const body = incomingBody(request, payload);
  const { md5, checksum, trailer } = body.claims;
  if (md5 === undefined && checksum === undefined && trailer === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    );
  }
  const { keys, quiet } = readDelete(readXml((await readWhole(body, MAX_BODY_BYTES)).toString("utf8")));
  for (const key of keys) bucket.remove(key);
  const deleted = quiet ? [] : keys.map((key) => wrap("Deleted", tag("Key", key)));
  return xmlAnswer(200, xmlDocument("DeleteResult", ...deleted));
}

function readDelete(root: XmlElement): { keys: string[]; quiet: boolean } {
  const objects = root.children.filter(({ name }) => name === "Object");
  const known = root.children.every(({ name }) => name === "Object" || name === "Quiet");
  if (root.name !== "Delete" || !known || objects.length === 0 || objects.length > MAX_KEYS)
    throw malformed();
  const keys = objects.map((object) => {
    const other = object.children.find(({ name }) => name !== "Key");
    if (other !== undefined) throw notImplemented(`"${other.name}" in DeleteObjects`);
    const key = childText(object, "Key");
    if (key === undefined || key === "") throw malformed();
    return key;
  });
  return { keys, quiet: childText(root, "Quiet")?.trim() === "true" };
}
