import type { Parameter } from "./request.ts";
import { S3Error, type S3ErrorCode } from "./s3-error.ts";
import { ALGORITHM, type Scope } from "./signature.ts";

export type SignedParts = {
  /** `<access key id>/<date>/<region>/<service>/aws4_request` */
  readonly credential: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDD'T'HHMMSS'Z'`, unchecked. */
  readonly time: string;
};

const MAX_EXPIRES_SECONDS = 7 * 24 * 3600;

/** Takes an `Authorization` header apart; throws `AuthorizationHeaderMalformed`. */
export function readSignedHeader(authorization: string, headers: ReadonlyMap<string, string>): SignedParts {
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(",")
      .map((field): [string, string] => {
        const equals = field.indexOf("=");
        return [field.slice(0, equals).trim(), field.slice(equals + 1).trim()];
      }),
  );
  const credential = fields.get("Credential");
  const signedHeaders = fields.get("SignedHeaders");
  const signature = fields.get("Signature");
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      "The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    );
  }
  const date = headers.get("x-amz-date") ?? headers.get("date") ?? "";
  return { credential, signedHeaders: signedHeaders.toLowerCase().split(";"), signature, time: date };
}

/** Takes a presigned URL apart; throws `AuthorizationQueryParametersError`. */
export function readPresignedQuery(
  query: readonly Parameter[],
): SignedParts & { readonly expiresSeconds: number } {
  const read = (name: string): string => {
    const values = query.filter((parameter) => parameter.name.toLowerCase() === name.toLowerCase());
    const [only] = values;
    if (only === undefined || values.length > 1) {
      throw new S3Error(
        "AuthorizationQueryParametersError",
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters, each once.",
      );
    }
    return only.value;
  };
  if (read("X-Amz-Algorithm") !== ALGORITHM) {
    throw new S3Error("AuthorizationQueryParametersError", `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const expires = read("X-Amz-Expires");
  const expiresSeconds = Number(expires);
  if (!/^\d+$/.test(expires) || expiresSeconds < 1 || expiresSeconds > MAX_EXPIRES_SECONDS) {
    throw new S3Error(
      "AuthorizationQueryParametersError",
      `X-Amz-Expires must be a whole number of seconds from 1 to ${MAX_EXPIRES_SECONDS} (one week)`,
    );
  }
  return {
    credential: read("X-Amz-Credential"),
    signedHeaders: read("X-Amz-SignedHeaders").toLowerCase().split(";"),
    signature: read("X-Amz-Signature"),
    time: read("X-Amz-Date"),
    expiresSeconds,
  };
}

/** Splits a credential and checks its scope against the request time and our region; throws `malformed`. */
export function readCredential(
  credential: string,
  region: string,
  time: string,
  malformed: S3ErrorCode,
): { readonly accessKeyId: string; readonly scope: Scope } {
  const parts = credential.split("/");
  // An access key id may hold slashes, so the scope is counted from the end.
  const [date = "", scopeRegion = "", service = "", terminator] = parts.slice(-4);
  if (parts.length < 5 || terminator !== "aws4_request") {
    throw new S3Error(
      malformed,
      `The credential "${credential}" is malformed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`,
    );
  }
  if (scopeRegion !== region) {
    throw new S3Error(malformed, `The region "${scopeRegion}" is wrong; expecting "${region}"`, {
      Region: region,
    });
  }
  if (service !== "s3") {
    throw new S3Error(malformed, `The credential names service "${service}"; expecting "s3"`);
  }
  if (!time.startsWith(date)) {
    throw new S3Error(
      malformed,
      `The credential's date "${date}" is not the request's "${time.slice(0, 8)}"`,
    );
  }
  return { accessKeyId: parts.slice(0, -4).join("/"), scope: { date, region, service } };
}
