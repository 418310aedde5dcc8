/** Why a request isn't taken for a webhook of Plantain. Codes are stable; messages are for people. */
export type WebhookVerificationCode =
  /** The receiver's fault: the body was parsed or is otherwise not what arrived. */
  | "body_not_raw"
  /** The receiver's fault: a secret or key is missing or malformed. */
  | "invalid_secret"
  /** The body isn't UTF-8. */
  | "invalid_body"
  | "missing_header"
  | "malformed_header"
  | "timestamp_too_old"
  | "timestamp_too_new"
  /** None of the signatures is by one of the secrets or keys over exactly this id, time and body. */
  | "no_matching_signature"
  /** Truly signed, yet no event: sender and receiver are too far apart in version. */
  | "malformed_event";

/** What `verifyWebhook` throws. Answer 400 to it and do nothing of what the request asks for. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  readonly code: WebhookVerificationCode;

  constructor(code: WebhookVerificationCode, message: string) {
    super(message);
    this.code = code;
  }
}
