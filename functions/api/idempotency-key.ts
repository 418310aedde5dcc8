import { DomainError } from "@plantain/core/error";

/**
 * A caller's own name for a submission: 1 to 255 visible ASCII characters, bare or as a quoted string.
 * @param field where it was given, for refusals
 * @throws DomainError `invalid_request`
 */
export function readIdempotencyKey(text: string | undefined, field: string): string | null {
  if (text === undefined) return null;
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new DomainError("invalid_request", `${field} is 1 to 255 visible ASCII characters`, { field });
}
