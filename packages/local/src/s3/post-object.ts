import { type Answer, headerValue, xmlAnswer } from "./answer.ts";
import { statedChecksum } from "./checksum.ts";
import type { Context } from "./context.ts";
import { type Form, readForm } from "./form-data.ts";
import type { Claims } from "./incoming-body.ts";
import { storedHeaders } from "./object-record.ts";
import { checkPolicy } from "./post-policy.ts";
import { checkKey, type S3Request } from "./request.ts";
import { notImplemented, S3Error } from "./s3-error.ts";
import { tag, xmlDocument } from "./xml.ts";

const KNOWN =
  /^(acl|bucket|key|policy|file|cache-control|content-(disposition|encoding|language|type)|expires|redirect|success_action_(redirect|status)|x-amz-(algorithm|credential|date|security-token|signature|storage-class|server-side-encryption|meta-.+|checksum-(crc32|crc32c|crc64nvme|sha1|sha256))|x-ignore-.*|submit)$/;

/** Upload by an HTML form, which its policy authorizes: nothing else about the request is signed. */
export async function postObject({ store, keyring }: Context, request: S3Request): Promise<Answer> {
  const form = await readForm(request.headers.get("content-type") ?? "", request.body());
  try {
    const { fields } = form;
    const key = readKey(form);
    const range = checkPolicy(fields, { bucket: request.bucket, key }, keyring);
    const unknown = [...fields.keys()].find((name) => !KNOWN.test(name));
    if (unknown !== undefined) throw notImplemented(`the form field "${unknown}"`);
    const bucket = store.bucket(request.bucket);
    const headers = storedHeaders(
      new Map([...fields].map(([name, text]) => [name, headerValue(name, text)])),
    );
    const checksum = statedChecksum(fields);
    const claims: Claims = { range, ...(checksum !== undefined && { checksum }) };
    const guard = bucket.guard(key, undefined);
    const incoming = await store.receive({ bytes: () => form.file, trailers: new Map(), claims });
    const { etag } = bucket.publish(guard, incoming, { headers });
    return answer(request, fields, key, etag);
  } finally {
    await form.close();
  }
}

function readKey({ fields, fileName }: Form): string {
  const template = fields.get("key");
  if (template === undefined || template === "") {
    throw new S3Error(
      "InvalidArgument",
      "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
      { ArgumentName: "key", ArgumentValue: "" },
    );
  }
  // A function as replacement, since a file may be called "$&".
  return checkKey(template.replace(/\$\{filename\}/g, () => fileName));
}

function answer(request: S3Request, fields: Form["fields"], key: string, etag: string): Answer {
  const location = `http://${request.headers.get("host") ?? ""}/${request.bucket}/${encodeURIComponent(key)}`;
  const headers = { etag: `"${etag}"`, location };
  const redirect = fields.get("success_action_redirect") ?? fields.get("redirect") ?? "";
  if (URL.canParse(redirect)) {
    const url = new URL(redirect);
    url.searchParams.set("bucket", request.bucket);
    url.searchParams.set("key", key);
    url.searchParams.set("etag", `"${etag}"`);
    return { status: 303, headers: { ...headers, location: url.href } };
  }
  const status = fields.get("success_action_status");
  if (status === "200") return { status: 200, headers };
  if (status !== "201") return { status: 204, headers };
  return xmlAnswer(
    201,
    xmlDocument(
      "PostResponse",
      tag("Location", location),
      tag("Bucket", request.bucket),
      tag("Key", key),
      tag("ETag", `"${etag}"`),
    ),
    headers,
  );
}
