import { createByteReader } from "./byte-reader.ts";
import { S3Error } from "./s3-error.ts";

export type Form = {
  /** The fields before the file, lower-case names. */
  readonly fields: ReadonlyMap<string, string>;
  /** Name of the file on the sender's machine, without its directory; empty if unknown. */
  readonly fileName: string;
  /** The bytes of the file; to be read once. What follows it in the form is ignored, as S3 does. */
  readonly file: AsyncIterable<Buffer>;
  /** Must be called in the end, also after an error. */
  close(): Promise<void>;
};

const CRLF = Buffer.from("\r\n");
const BLANK_LINE = Buffer.from("\r\n\r\n");
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_FIELD_BYTES = 20_000;

/**
 * Reads a `multipart/form-data` body up to its file, which is streamed: `Request.formData()` would hold all of it in
 * memory. Throws `PreconditionFailed` on another content type, `MalformedPOSTRequest`, `InvalidArgument` and, above
 * 20 KB of fields, `MaxPostPreDataLengthExceeded`.
 */
export async function readForm(contentType: string, source: AsyncIterable<Buffer>): Promise<Form> {
  const boundary = readBoundary(contentType);
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  const reader = createByteReader(withLeadingBreak(source), malformed);
  const fields = new Map<string, string>();
  let bytes = 0;
  try {
    for await (const preamble of reader.streamUntil(delimiter)) bytes = checkBytes(bytes + preamble.length);
    for (;;) {
      const rest = (await reader.until(CRLF, MAX_HEADER_BYTES, malformed)).toString("latin1").trim();
      if (rest === "--") throw noFile();
      if (rest !== "") throw malformed();
      const { name, fileName } = readDisposition(await reader.until(BLANK_LINE, MAX_HEADER_BYTES, malformed));
      if (name === "file") {
        return { fields, fileName, file: reader.streamUntil(delimiter), close: () => reader.close() };
      }
      const value = await reader.until(delimiter, MAX_FIELD_BYTES, tooMuch);
      bytes = checkBytes(bytes + name.length + value.length);
      if (fields.has(name)) {
        throw new S3Error("InvalidArgument", "POST requires exactly one value per field", {
          ArgumentName: name,
        });
      }
      fields.set(name, value.toString("utf8"));
    }
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** The first delimiter has no line break before it; with this one it looks like all others. */
async function* withLeadingBreak(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield CRLF;
  yield* source;
}

function readBoundary(contentType: string): string {
  const match = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70}))/i.exec(
    contentType,
  );
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) {
    throw new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
      Condition: "Bucket POST must be of the enclosure-type multipart/form-data",
    });
  }
  return boundary;
}

function readDisposition(bytes: Buffer): { name: string; fileName: string } {
  const line = bytes
    .toString("utf8")
    .split("\r\n")
    .find((header) => /^content-disposition\s*:/i.test(header));
  const name = line === undefined ? undefined : attribute(line, "name");
  if (line === undefined || name === undefined || !/:\s*form-data\s*;/i.test(line)) throw malformed();
  const path = attribute(line, "filename") ?? "";
  return {
    name: name.toLowerCase(),
    fileName: path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1),
  };
}

/** Browsers write a quote inside a name as %22 and line breaks as %0D%0A, and nothing else encoded. */
function attribute(line: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}="([^"]*)"|;\\s*${name}=([^\\s";]+)`, "i").exec(line);
  return (match?.[1] ?? match?.[2])?.replace(/%(22|0D|0A)/gi, (encoded) => decodeURIComponent(encoded));
}

function checkBytes(bytes: number): number {
  if (bytes > MAX_FIELD_BYTES) throw tooMuch();
  return bytes;
}

function tooMuch(): S3Error {
  return new S3Error(
    "MaxPostPreDataLengthExceeded",
    "Your POST request fields preceding the upload file were too large.",
    { MaxPostPreDataLength: String(MAX_FIELD_BYTES) },
  );
}

function noFile(): S3Error {
  return new S3Error("InvalidArgument", "POST requires exactly one file upload per request.", {
    ArgumentName: "file",
  });
}

function malformed(): S3Error {
  return new S3Error(
    "MalformedPOSTRequest",
    "The body of your POST request is not well-formed multipart/form-data.",
  );
}
