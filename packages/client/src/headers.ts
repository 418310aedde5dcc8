import { WebhookVerificationError } from "./webhook-error.ts";

/**
 * Headers as servers have them: a `Headers`, Node's `request.headers`, or any object of texts and lists of texts whose
 * names may be in any case.
 */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | { readonly [name: string]: string | readonly string[] | undefined };

/** The three headers of Standard Webhooks, each well formed. */
export type SignatureHeaders = {
  readonly id: string;
  /** As it was sent: what is signed is this text. */
  readonly timestamp: string;
  /** As `v1,<base64>`, in any order; of other versions too. */
  readonly signatures: readonly string[];
};

/** More than any rotation needs, and few enough to try all. */
const mostSignatures = 32;

/** @throws WebhookVerificationError `missing_header` or `malformed_header` */
export function signatureHeaders(headers: WebhookHeaders): SignatureHeaders {
  const id = single(headers, "webhook-id");
  // A full stop in it would let the signed text be read in two ways
  if (!/^[A-Za-z0-9_-]+$/.test(id)) throw malformed("webhook-id", id, "letters, digits, _ and -");
  const timestamp = single(headers, "webhook-timestamp");
  // Not parseInt: "1790000000abc" isn't a time that anybody sends
  if (!/^(0|[1-9]\d{0,11})$/.test(timestamp))
    throw malformed("webhook-timestamp", timestamp, "whole seconds since 1970");
  const signatures = values(headers, "webhook-signature").flatMap((value) => value.split(" "));
  if (signatures.length > mostSignatures)
    throw new WebhookVerificationError(
      "malformed_header",
      `Cannot verify the webhook: webhook-signature has ${signatures.length} signatures, ${mostSignatures} at most are tried`,
    );
  return { id, timestamp, signatures };
}

function single(headers: WebhookHeaders, name: string): string {
  const [first = "", ...others] = values(headers, name);
  if (others.length > 0) throw malformed(name, [first, ...others].join(", "), "a single value");
  return first;
}

/** All values of a header; at least one. */
function values(headers: WebhookHeaders, name: string): string[] {
  const found = isFetchHeaders(headers)
    ? [headers.get(name) ?? ""]
    : Object.entries(headers).flatMap(([key, value]) => (key.toLowerCase() === name ? (value ?? []) : []));
  const filled = found.filter((value) => value !== "");
  if (filled.length === 0)
    throw new WebhookVerificationError(
      "missing_header",
      `Cannot verify the webhook: it has no header ${name}; pass the headers of the request itself`,
    );
  return filled;
}

function isFetchHeaders(headers: WebhookHeaders): headers is { get(name: string): string | null } {
  return typeof headers.get === "function";
}

function malformed(name: string, value: string, expected: string): WebhookVerificationError {
  return new WebhookVerificationError(
    "malformed_header",
    `Cannot verify the webhook: ${name} is ${JSON.stringify(value.slice(0, 100))}; it has to be ${expected}`,
  );
}
