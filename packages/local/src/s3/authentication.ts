import type { ChunkSigning } from "./chunked-body.ts";
import { readCredential, readPresignedQuery, readSignedHeader, type SignedParts } from "./credential.ts";
import { decodeUri, type S3Request } from "./request.ts";
import { notImplemented, S3Error } from "./s3-error.ts";
import {
  ALGORITHM,
  type Credentials,
  canonicalRequest,
  hmacHex,
  parseTime,
  sameSignature,
  signingKey,
  stringToSign,
  UNSIGNED_PAYLOAD,
} from "./signature.ts";

/** What the signature says about the body. */
export type Payload =
  | { readonly type: "unsigned" }
  | { readonly type: "signed"; readonly sha256: string }
  | { readonly type: "chunked"; readonly trailer: boolean; readonly signing?: ChunkSigning };

export type Keyring = {
  readonly credentials: Credentials;
  readonly region: string;
  readonly now: () => number;
};

type Authenticated = { readonly request: S3Request; readonly payload: Payload };

const MAX_SKEW_MS = 15 * 60_000;

/**
 * Checks the Signature Version 4 of a request, in its `Authorization` header or its presigned URL. The request it
 * resolves with has the `x-amz-` parameters of a presigned URL among its headers, as S3 treats them.
 * Throws `AccessDenied` (anonymous, expired, unsigned headers), `SignatureDoesNotMatch`, `RequestTimeTooSkewed`,
 * `InvalidAccessKeyId` and the two `Authorization…` errors on malformed ones.
 */
export function authenticate(request: S3Request, keyring: Keyring): Authenticated {
  const authorization = request.headers.get("authorization");
  const presigned = request.query.some(({ name }) => /^(x-amz-signature|x-amz-algorithm)$/i.test(name));
  if (authorization !== undefined && presigned) {
    throw new S3Error(
      "InvalidArgument",
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
    );
  }
  if (presigned) return checkPresigned(request, keyring);
  if (authorization !== undefined) return checkHeader(request, authorization, keyring);
  if (request.query.some(({ name }) => name === "AWSAccessKeyId")) throw unsupportedMechanism();
  throw new S3Error("AccessDenied", "Access Denied");
}

function checkHeader(request: S3Request, authorization: string, keyring: Keyring): Authenticated {
  if (!authorization.startsWith(`${ALGORITHM} `)) throw unsupportedMechanism();
  const parts = readSignedHeader(authorization, request.headers);
  const requestTime = parseTime(parts.time);
  if (requestTime === undefined) {
    throw new S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  }
  const serverTime = keyring.now();
  if (Math.abs(serverTime - requestTime) > MAX_SKEW_MS) {
    throw new S3Error(
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      {
        RequestTime: parts.time,
        ServerTime: new Date(serverTime).toISOString(),
        MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
      },
    );
  }
  const payloadHash = request.headers.get("x-amz-content-sha256");
  if (payloadHash === undefined) {
    throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  const signature = checkSignature(request, parts, payloadHash, keyring, "AuthorizationHeaderMalformed");
  return { request, payload: readPayload(payloadHash, signature) };
}

function checkPresigned(request: S3Request, keyring: Keyring): Authenticated {
  const parts = readPresignedQuery(request.query);
  const signedAt = parseTime(parts.time);
  if (signedAt === undefined) {
    throw new S3Error(
      "AuthorizationQueryParametersError",
      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
    );
  }
  const serverTime = keyring.now();
  if (signedAt - serverTime > MAX_SKEW_MS) throw new S3Error("AccessDenied", "Request is not yet valid");
  const expires = signedAt + parts.expiresSeconds * 1000;
  if (serverTime > expires) {
    throw new S3Error("AccessDenied", "Request has expired", {
      "X-Amz-Expires": String(parts.expiresSeconds),
      Expires: new Date(expires).toISOString(),
      ServerTime: new Date(serverTime).toISOString(),
    });
  }
  const headers = withHoistedHeaders(request, parts.signedHeaders);
  const payloadHash = headers.get("x-amz-content-sha256") ?? UNSIGNED_PAYLOAD;
  const signature = checkSignature(request, parts, payloadHash, keyring, "AuthorizationQueryParametersError");
  return { request: { ...request, headers }, payload: readPayload(payloadHash, signature) };
}

/** SDKs move headers into the query of a presigned URL; there they count like headers, signed with the query. */
function withHoistedHeaders(request: S3Request, signedHeaders: readonly string[]): Map<string, string> {
  const headers = new Map(request.headers);
  // S3 tolerates this one unsigned; then it must not decide anything either.
  if (!signedHeaders.includes("x-amz-content-sha256")) headers.delete("x-amz-content-sha256");
  for (const { name, value } of request.query) {
    const header = name.toLowerCase();
    if (!header.startsWith("x-amz-") || PRESIGN_PARAMETERS.has(header) || headers.has(header)) continue;
    headers.set(header, Buffer.from(value).toString("latin1"));
  }
  return headers;
}

const PRESIGN_PARAMETERS: ReadonlySet<string> = new Set(
  ["algorithm", "credential", "date", "expires", "signedheaders", "signature", "security-token"].map(
    (name) => `x-amz-${name}`,
  ),
);

/** Returns what chunk signatures start from. */
function checkSignature(
  request: S3Request,
  parts: SignedParts,
  payloadHash: string,
  { credentials, region }: Keyring,
  malformed: "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError",
): ChunkSigning {
  const { accessKeyId, scope } = readCredential(parts.credential, region, parts.time, malformed);
  const unsigned = [...request.headers.keys()].filter(
    (name) =>
      (name === "host" || (name.startsWith("x-amz-") && name !== "x-amz-content-sha256")) &&
      !parts.signedHeaders.includes(name),
  );
  if (unsigned.length > 0) {
    throw new S3Error("AccessDenied", "There were headers present in the request which were not signed", {
      HeadersNotSigned: unsigned.join(", "),
    });
  }
  if (accessKeyId !== credentials.accessKeyId) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      {
        AWSAccessKeyId: accessKeyId,
      },
    );
  }
  const canonical = canonicalRequest({
    method: request.method,
    path: decodeUri(request.path),
    query: request.query.filter(({ name }) => name.toLowerCase() !== "x-amz-signature"),
    headers: request.headers,
    signedHeaders: parts.signedHeaders,
    payloadHash,
  });
  const toSign = stringToSign(parts.time, scope, canonical);
  const key = signingKey(credentials.secretAccessKey, scope);
  if (!sameSignature(parts.signature, hmacHex(key, toSign))) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      {
        AWSAccessKeyId: accessKeyId,
        StringToSign: toSign,
        SignatureProvided: parts.signature,
        CanonicalRequest: canonical,
      },
    );
  }
  return { key, scope, time: parts.time, seed: parts.signature };
}

function readPayload(hash: string, signing: ChunkSigning): Payload {
  switch (hash) {
    case UNSIGNED_PAYLOAD:
      return { type: "unsigned" };
    case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
      return { type: "chunked", trailer: true };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
      return { type: "chunked", trailer: false, signing };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
      return { type: "chunked", trailer: true, signing };
  }
  if (hash.startsWith("STREAMING-")) throw notImplemented(`payloads signed as "${hash}"`);
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new S3Error(
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    );
  }
  return { type: "signed", sha256: hash };
}

function unsupportedMechanism(): S3Error {
  return new S3Error(
    "InvalidRequest",
    `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
  );
}
