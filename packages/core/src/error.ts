/** Why the domain refuses what a caller asked for. The HTTP edge gives each code its status. */
export type RefusalCode =
  | "invalid_request"
  | "unknown_model"
  | "invalid_image"
  | "image_too_large"
  | "source_job_not_found"
  | "source_job_not_succeeded"
  | "source_image_not_found"
  | "conversation_too_long"
  | "job_not_found"
  | "job_not_finished"
  | "image_not_found"
  | "invalid_cursor"
  | "endpoint_not_found"
  | "endpoint_disabled"
  | "too_many_endpoints"
  | "too_many_secrets"
  | "delivery_not_found"
  | "delivery_in_progress"
  | "idempotency_key_reused";

/** A refusal that the caller can mend: nothing was stored, queued or paid. `field` is a path in the request, as `images[0].data`. */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly code: RefusalCode;
  readonly field: string | undefined;
  readonly allowed: readonly string[] | undefined;

  constructor(
    code: RefusalCode,
    message: string,
    about: { field?: string; allowed?: readonly string[] } = {},
  ) {
    super(message);
    this.code = code;
    this.field = about.field;
    this.allowed = about.allowed;
  }
}
