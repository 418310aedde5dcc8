import type { JobId } from "../id.ts";
import type { FinishedJob } from "./job.ts";

/** What is left of a deleted job, until nothing of it can come back. Times are epoch milliseconds. */
export type Tombstone = {
  readonly id: JobId;
  readonly tenant: string;
  /** Of its last attempt: nobody who writes with it, or with an earlier one, is heard any more. */
  readonly fence: number;
  readonly deletedAt: number;
  /** How often all that belonged to it was purged. */
  readonly purges: number;
  /** When it is to be purged, or looked after, next. */
  readonly dueAt: number;
  readonly version: number;
};

const minute = 60_000;

/**
 * When it is purged, from its deletion on: at once; once more when no function that was at work on it then can be alive,
 * since Lambda ends each after 15 min at the latest; and before it is forgotten itself.
 */
const purgesAfterMs = [0, 20 * minute, 7 * 24 * 60 * minute];

/** A purge that failed is tried again after this time. */
const againAfterMs = 5 * minute;

export function tombstoneOf({ id, tenant, fence, version }: FinishedJob, at: number): Tombstone {
  return { id, tenant, fence, deletedAt: at, purges: 0, dueAt: at, version: version + 1 };
}

/** Before a purge: should that fail, the next is due after a while, and no sooner. */
export function beginPurge(tombstone: Tombstone, at: number): Tombstone {
  return { ...tombstone, dueAt: at + againAfterMs, version: tombstone.version + 1 };
}

/** After one; `null`: it was the last, and nothing is left to do. */
export function endPurge(tombstone: Tombstone): Tombstone | null {
  const purges = tombstone.purges + 1;
  const afterMs = purgesAfterMs[purges];
  if (afterMs === undefined) return null;
  return { ...tombstone, purges, dueAt: tombstone.deletedAt + afterMs, version: tombstone.version + 1 };
}
