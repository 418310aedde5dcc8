const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** What the example of Standard Webhooks waits after each try that failed: with the first, ten tries in over three days. */
const waitsMs = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
] as const;

export const mostTries = waitsMs.length + 1;

/** Half of what the waits vary by. */
const jitter = 0.2;
const longestAskedMs = hour;

/**
 * How long to wait after a try that failed; `null` where none follows.
 * @param spent tries that failed, this one too
 * @param retryAfterMs what the receiver asked for: obeyed if it is more than the schedule has, up to twice that and an hour
 * @param random in [0, 1)
 */
export function nextWaitMs(spent: number, retryAfterMs: number | null, random: number): number | null {
  const base = waitsMs[spent - 1];
  if (base === undefined) return null;
  const wait = Math.round(base * (1 - jitter + 2 * jitter * random));
  if (retryAfterMs === null) return wait;
  return Math.max(wait, Math.min(retryAfterMs, 2 * base, longestAskedMs));
}

const firstPostponedMs = 15 * second;
const longestPostponedMs = 10 * minute;

/** How long to wait for a turn at an endpoint that takes one delivery at a time, ever longer the longer the line seems. */
export function nextTurnMs(postponed: number, random: number): number {
  const wait = Math.min(longestPostponedMs, firstPostponedMs * 2 ** Math.min(postponed, 10));
  return Math.round(wait * (0.5 + random / 2));
}

/** Milliseconds in a `Retry-After`, as seconds or a date; `null` where it says nothing. */
export function retryAfterMs(header: string | null, at: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * second;
  const until = Date.parse(header);
  return Number.isNaN(until) ? null : Math.max(0, until - at);
}
