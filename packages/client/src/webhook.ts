import { types } from "node:util";
import { readEvent, type WebhookEvent } from "./event.ts";
import { signatureHeaders, type WebhookHeaders } from "./headers.ts";
import { verifiersOf, type WebhookSecret } from "./keys.ts";
import { WebhookVerificationError } from "./webhook-error.ts";

export type VerifyOptions = {
  /** How far the sender's clock may be before or after ours, in seconds; 300 if left out. */
  readonly toleranceSeconds?: number;
  /** The time in milliseconds since 1970, for tests; if left out, the clock's. */
  readonly now?: number;
};

/**
 * Takes a request for what Plantain sent, or throws. Signatures are Standard Webhooks 1.0.0, `v1` and `v1a`.
 *
 * A true request that somebody recorded can be sent again within the tolerance, and Plantain itself sends a delivery
 * again whose answer it didn't get. So keep the `id` of each event you have acted on, in the same transaction if you
 * can, and answer 204 without acting to one you know. Twice the tolerance (10 minutes) is enough against recordings;
 * 4 days cover all tries of a delivery as well.
 *
 * @param body the bytes that arrived, or their text; not the parsed object, whose bytes would be others
 * @param secret several while one replaces another: any may match. Pin public keys, never take them from a request
 * @throws WebhookVerificationError whose `code` says why it isn't taken
 */
export function verifyWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: WebhookSecret | readonly WebhookSecret[],
  { toleranceSeconds = 300, now = Date.now() }: VerifyOptions = {},
): WebhookEvent {
  const text = textOf(body);
  const verifiers = verifiersOf(secret);
  const { id, timestamp, signatures } = signatureHeaders(headers);
  checkAge(Math.floor(now / 1000) - Number(timestamp), toleranceSeconds);
  const signed = Buffer.from(`${id}.${timestamp}.${text}`);
  if (!verifiers.some((isBy) => signatures.some((signature) => isBy(signed, signature))))
    throw new WebhookVerificationError(
      "no_matching_signature",
      "Cannot verify the webhook: no signature matches; look whether the secret is this endpoint's and the body is passed as it arrived",
    );
  return readEvent(id, text);
}

/** Only text that stands for its bytes one to one: lenient decoding would give two bodies the same signature. */
function textOf(body: string | Uint8Array): string {
  if (typeof body === "string") {
    if (body.isWellFormed()) return body;
    throw notUtf8();
  }
  // Not instanceof: test runners and vm contexts have a Uint8Array of their own
  if (!types.isUint8Array(body))
    throw new WebhookVerificationError(
      "body_not_raw",
      `Cannot verify the webhook: the body is ${kindOf(body)}; pass the raw body as text or Uint8Array, before any parser`,
    );
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw notUtf8();
  }
}

function kindOf(value: unknown): string {
  return value === null || value === undefined ? "missing" : `of type ${typeof value}`;
}

function notUtf8(): WebhookVerificationError {
  return new WebhookVerificationError("invalid_body", "Cannot verify the webhook: the body isn't UTF-8");
}

/** @param age in seconds; negative where the sender's clock is ahead */
function checkAge(age: number, tolerance: number): void {
  // Asked this way round, a tolerance that isn't a number refuses everything
  if (Math.abs(age) <= tolerance) return;
  const [code, said] =
    age > 0 ? (["timestamp_too_old", "old"] as const) : (["timestamp_too_new", "ahead"] as const);
  throw new WebhookVerificationError(
    code,
    `Cannot verify the webhook: it is ${Math.abs(age)} s ${said}, more than ${tolerance} s; compare the clock with the sender's`,
  );
}
