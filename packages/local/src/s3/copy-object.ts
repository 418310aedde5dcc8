import { type Answer, xmlAnswer } from "./answer.ts";
import { checksumElement, readAlgorithm } from "./checksum.ts";
import { checkRead, failed, readWriteCondition } from "./conditions.ts";
import type { Context } from "./context.ts";
import { noSuchKey } from "./get-object.ts";
import { storedHeaders } from "./object-record.ts";
import { decodeUri, type S3Request } from "./request.ts";
import { notImplemented, S3Error } from "./s3-error.ts";
import { tag, xmlDocument } from "./xml.ts";

/** Copies within the server. The copy has the MD5 of its bytes as etag, even when the source came in parts. */
export async function copyObject({ store }: Context, request: S3Request): Promise<Answer> {
  const source = readSource(request.headers.get("x-amz-copy-source") ?? "");
  const target = store.bucket(request.bucket);
  const replace = readDirective(request.headers.get("x-amz-metadata-directive"));
  const algorithm = request.headers.get("x-amz-checksum-algorithm");
  if (!replace && source.bucket === request.bucket && source.key === request.key) {
    throw new S3Error(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const given = storedHeaders(request.headers);
  const guard = target.guard(request.key, readWriteCondition(request.headers));
  try {
    const opened = await store.bucket(source.bucket).open(source.key);
    if (opened === undefined) throw noSuchKey(source.key);
    try {
      if (checkRead(request.headers, opened.record, "x-amz-copy-source-") === "not_modified") {
        throw failed("x-amz-copy-source-If-None-Match");
      }
      const incoming = await store.receive(
        {
          bytes: () => opened.file.createReadStream({ start: 0, autoClose: false }),
          trailers: new Map(),
          claims: { size: opened.record.size },
        },
        algorithm === undefined ? opened.record.checksum.algorithm : readAlgorithm(algorithm),
      );
      const record = target.publish(guard, incoming, { headers: replace ? given : opened.record.headers });
      return xmlAnswer(
        200,
        xmlDocument(
          "CopyObjectResult",
          tag("LastModified", new Date(record.lastModified).toISOString()),
          tag("ETag", `"${record.etag}"`),
          tag(checksumElement(record.checksum.algorithm), record.checksum.value),
          tag("ChecksumType", record.checksum.type),
        ),
        { "x-amz-server-side-encryption": "AES256" },
      );
    } finally {
      await opened.file.close();
    }
  } finally {
    guard.release();
  }
}

/** Reads `[/]<bucket>/<key>`, percent-encoded. */
function readSource(header: string): { bucket: string; key: string } {
  if (header.includes("?")) throw notImplemented(`the copy source "${header}": objects have no versions`);
  const path = decodeUri(header).replace(/^\//, "");
  const slash = path.indexOf("/");
  if (slash < 1 || slash === path.length - 1) {
    throw new S3Error(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
      {
        ArgumentName: "x-amz-copy-source",
        ArgumentValue: header,
      },
    );
  }
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
}

function readDirective(directive = "COPY"): boolean {
  if (directive !== "COPY" && directive !== "REPLACE") {
    throw new S3Error("InvalidArgument", "Unknown metadata directive.", {
      ArgumentName: "x-amz-metadata-directive",
      ArgumentValue: directive,
    });
  }
  return directive === "REPLACE";
}
