import type { Answer } from "./answer.ts";
import type { S3Request } from "./request.ts";
import { S3Error } from "./s3-error.ts";

/** A rule of a bucket's `CorsConfiguration`; origins and headers may hold one `*` each. */
export type CorsRule = {
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly allowedHeaders?: readonly string[];
  readonly exposedHeaders?: readonly string[];
  readonly maxAgeSeconds?: number;
};

type Wanted = { readonly origin: string; readonly method: string; readonly headers: readonly string[] };

/** Answers `OPTIONS`; throws `BadRequest` or `AccessForbidden`. `rules` is undefined for an unknown bucket. */
export function preflight(request: S3Request, rules: readonly CorsRule[] | undefined): Answer {
  const origin = request.headers.get("origin");
  const method = request.headers.get("access-control-request-method");
  if (origin === undefined) {
    throw new S3Error("BadRequest", "Insufficient information. Origin request header needed.");
  }
  if (method === undefined) {
    throw new S3Error("BadRequest", "Invalid Access-Control-Request-Method: null");
  }
  if (rules === undefined || rules.length === 0) {
    throw forbidden("CORSResponse: CORS is not enabled for this bucket.", method);
  }
  const headers = (request.headers.get("access-control-request-headers") ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const allowed = match(rules, { origin, method, headers });
  if (allowed === undefined) {
    throw forbidden(
      "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
      method,
    );
  }
  return {
    status: 200,
    headers: {
      ...allowed,
      ...(headers.length > 0 && { "access-control-allow-headers": headers.join(", ") }),
    },
  };
}

/** The headers that let a browser read an answer; none unless a rule of the bucket allows origin and method. */
export function corsHeaders(
  request: S3Request,
  rules: readonly CorsRule[] | undefined,
): Record<string, string> {
  const origin = request.headers.get("origin");
  if (origin === undefined || rules === undefined) return {};
  return match(rules, { origin, method: request.method, headers: [] }) ?? {};
}

function match(rules: readonly CorsRule[], wanted: Wanted): Record<string, string> | undefined {
  for (const rule of rules) {
    const origin = rule.allowedOrigins.find((pattern) => fits(pattern, wanted.origin));
    const headersFit = wanted.headers.every((header) =>
      (rule.allowedHeaders ?? []).some((pattern) => fits(pattern.toLowerCase(), header)),
    );
    if (origin === undefined || !rule.allowedMethods.includes(wanted.method) || !headersFit) continue;
    const exposed = rule.exposedHeaders ?? [];
    return {
      "access-control-allow-origin": origin === "*" ? "*" : wanted.origin,
      "access-control-allow-methods": rule.allowedMethods.join(", "),
      ...(origin !== "*" && { "access-control-allow-credentials": "true" }),
      ...(exposed.length > 0 && { "access-control-expose-headers": exposed.join(", ") }),
      ...(rule.maxAgeSeconds !== undefined && { "access-control-max-age": String(rule.maxAgeSeconds) }),
      vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    };
  }
  return undefined;
}

function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}

function forbidden(message: string, method: string): S3Error {
  return new S3Error("AccessForbidden", message, { Method: method, ResourceType: "OBJECT" });
}
