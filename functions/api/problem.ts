import type { RefusalCode } from "@plantain/core/error";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** Codes of problems that arise at the HTTP edge itself; the domain's own come on top. */
type EdgeCode =
  | "unauthorized"
  | "missing_scope"
  | "not_found"
  | "model_not_found"
  | "method_not_allowed"
  | "unsupported_media_type"
  | "invalid_json"
  | "body_too_large"
  | "internal";

export type ProblemCode = RefusalCode | EdgeCode;

/** One wrong field: its path in the request, what is wrong with it, and what would be right where that is a list. */
export type FieldError = { field: string; message: string; allowed?: readonly string[] };

const problems: Readonly<Record<ProblemCode, { status: ContentfulStatusCode; title: string }>> = {
  invalid_request: { status: 400, title: "The request is not valid" },
  invalid_json: { status: 400, title: "The body is not JSON" },
  invalid_image: { status: 400, title: "An image can't be used" },
  image_too_large: { status: 400, title: "An image is too large" },
  invalid_cursor: { status: 400, title: "The cursor is not valid" },
  unknown_model: { status: 400, title: "There is no such model" },
  source_job_not_found: { status: 400, title: "A referenced job doesn't exist" },
  source_job_not_succeeded: { status: 409, title: "A referenced job has no images" },
  source_image_not_found: { status: 400, title: "A referenced image doesn't exist" },
  conversation_too_long: { status: 400, title: "The conversation is at its longest" },
  job_not_finished: { status: 409, title: "The job isn't over yet" },
  endpoint_disabled: { status: 409, title: "The endpoint is disabled" },
  too_many_endpoints: { status: 409, title: "There are too many endpoints" },
  too_many_secrets: { status: 409, title: "Too many secrets sign at once" },
  delivery_in_progress: { status: 409, title: "The delivery is being tried" },
  unauthorized: { status: 401, title: "A valid API key is needed" },
  missing_scope: { status: 403, title: "The API key may not do this" },
  model_not_found: { status: 404, title: "There is no such model" },
  not_found: { status: 404, title: "There is nothing at this address" },
  job_not_found: { status: 404, title: "There is no such job" },
  endpoint_not_found: { status: 404, title: "There is no such endpoint" },
  delivery_not_found: { status: 404, title: "There is no such delivery" },
  image_not_found: { status: 404, title: "There is no such image" },
  method_not_allowed: { status: 405, title: "This address doesn't take this method" },
  body_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "The body has to be JSON" },
  idempotency_key_reused: { status: 422, title: "The idempotency key belongs to another request" },
  internal: { status: 500, title: "The service failed" },
};

/** An RFC 9457 problem. `code` is stable and made for programs; `detail` is for people. */
export function problem(
  c: Context,
  code: ProblemCode,
  detail: string,
  errors: readonly FieldError[] = [],
  headers: Record<string, string> = {},
): Response {
  const { status, title } = problems[code];
  return c.body(
    JSON.stringify({
      type: `urn:plantain:problem:${code}`,
      title,
      status,
      code,
      detail,
      ...(errors.length > 0 ? { errors } : {}),
      request_id: c.get("requestId"),
    }),
    status,
    { "content-type": "application/problem+json", ...headers },
  );
}
