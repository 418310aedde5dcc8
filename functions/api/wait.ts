import type { Clock } from "@plantain/core/clock";
import { DomainError } from "@plantain/core/error";
import type { JobId } from "@plantain/core/id";
import { isFinished } from "@plantain/core/job/job";
import type { Jobs } from "@plantain/core/job/ports";

/** API Gateway ends a request after 30 s; this leaves room to answer. */
export const longestWaitSeconds = 25;

/** What callers are told to leave between two looks at a job. */
export const pollSeconds = 2;

const firstLookMs = 150;
const longestLookMs = 1_500;

/** Waits until the job is over or `untilMs` has come, looking ever less often. */
export async function waitUntilOver(
  { jobs, clock }: { jobs: Jobs; clock: Clock },
  id: JobId,
  untilMs: number,
): Promise<void> {
  for (let lookMs = firstLookMs; ; lookMs = Math.min(longestLookMs, lookMs * 1.4)) {
    const left = untilMs - clock.now();
    if (left <= 0) return;
    await clock.sleep(Math.min(lookMs, left));
    const job = await jobs.load(id);
    if (!job || isFinished(job)) return;
  }
}

/**
 * Seconds of `?wait=` or of `Prefer: wait=`; 0 when there is none.
 * @throws DomainError `invalid_request` unless it is a whole number of 0 to 25
 */
export function readWait(text: string | undefined, field: string): number {
  if (text === undefined) return 0;
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= longestWaitSeconds) return seconds;
  throw new DomainError(
    "invalid_request",
    `${field} is a whole number of seconds from 0 to ${longestWaitSeconds}`,
    { field },
  );
}

/** The `wait` of a `Prefer` header (RFC 7240); a server takes as much of a preference as it can. */
export function readPreferredWait(header: string | undefined): number {
  const wait = /(?:^|[,;\s])wait\s*=\s*"?(\d+)"?/i.exec(header ?? "")?.[1];
  return wait === undefined ? 0 : Math.min(longestWaitSeconds, Number(wait));
}
