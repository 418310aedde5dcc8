import type { IncomingMessage } from "node:http";
import { S3Error } from "./s3-error.ts";

export type Parameter = { readonly name: string; readonly value: string };

/** A request as S3 sees it, path-style: decoded, but with nothing normalised away (`..` and `//` stay in a key). */
export type S3Request = {
  readonly method: string;
  /** The path as it came, for signatures and error documents. */
  readonly path: string;
  /** Empty for requests to the service itself. */
  readonly bucket: string;
  /** Empty for requests to a bucket. */
  readonly key: string;
  readonly query: readonly Parameter[];
  /** Lower-case names; values as the bytes on the wire (latin1), several of one name joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** Asks for the body, once; a client that waits for "100 Continue" sends it only now. */
  body(): AsyncIterable<Buffer>;
};

const MAX_KEY_BYTES = 1024;

/** Reads line and headers of a request; throws `InvalidURI` or `KeyTooLongError`. */
export function readRequest(message: IncomingMessage, body: () => AsyncIterable<Buffer>): S3Request {
  const target = message.url ?? "/";
  const question = target.indexOf("?");
  const path = question < 0 ? target : target.slice(0, question);
  if (!path.startsWith("/")) throw invalidUri();
  const slash = path.indexOf("/", 1);
  return {
    method: message.method ?? "GET",
    path,
    bucket: decodeUri(slash < 0 ? path.slice(1) : path.slice(1, slash)),
    key: checkKey(slash < 0 ? "" : decodeUri(path.slice(slash + 1))),
    query: question < 0 ? [] : readQuery(target.slice(question + 1)),
    headers: readHeaders(message.rawHeaders),
    body,
  };
}

/** The value of a query parameter; empty for `?name` alone. */
export function parameter(request: S3Request, name: string): string | undefined {
  return request.query.find((candidate) => candidate.name === name)?.value;
}

/** Returns `key`, or throws `KeyTooLongError` when it has more than 1024 bytes of UTF-8. */
export function checkKey(key: string): string {
  const size = Buffer.byteLength(key);
  if (size > MAX_KEY_BYTES) {
    throw new S3Error("KeyTooLongError", "Your key is too long", {
      Size: String(size),
      MaxSizeAllowed: String(MAX_KEY_BYTES),
    });
  }
  return key;
}

/** Undoes percent-encoding; throws `InvalidURI` unless the bytes are UTF-8. */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidUri();
  }
}

function invalidUri(): S3Error {
  return new S3Error("InvalidURI", "Couldn't parse the specified URI.");
}

function readQuery(query: string): Parameter[] {
  const decode = (text: string) => decodeUri(text.replaceAll("+", " "));
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      return equals < 0
        ? { name: decode(pair), value: "" }
        : { name: decode(pair.slice(0, equals)), value: decode(pair.slice(equals + 1)) };
    });
}

function readHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]?.toLowerCase() ?? "";
    const value = raw[index + 1] ?? "";
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return headers;
}
