/**
 * Milliseconds that Google asks to wait: its RetryInfo ("47.43s"), else the Retry-After header in seconds or as a date.
 * @param at epoch milliseconds of the answer
 */
export function retryAfterMs(delay: string | null, header: string | null, at: number): number | undefined {
  const duration = /^(\d+(?:\.\d+)?)s$/.exec(delay ?? "")?.[1] ?? /^\s*(\d+)\s*$/.exec(header ?? "")?.[1];
  if (duration !== undefined) return Math.ceil(Number(duration) * 1000);
  const date = Date.parse(header ?? "");
  return Number.isNaN(date) ? undefined : Math.max(0, date - at);
}
