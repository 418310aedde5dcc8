import { DomainError } from "@plantain/core/error";

/**
 * The `Idempotency-Key` header: 1 to 255 visible ASCII characters, bare or as a quoted string.
 * @throws DomainError `invalid_request`
 */
export function readIdempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new DomainError("invalid_request", "An Idempotency-Key is 1 to 255 visible ASCII characters", {
    field: "Idempotency-Key",
  });
}
