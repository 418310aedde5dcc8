import type { HeldReason } from "../capacity/held.ts";
import type { Usage } from "../model/pricing.ts";
import type { Billed, Failure, Upstream } from "./failure.ts";
import type { RunningJob } from "./job.ts";

/** One paid call of an attempt: one image index. Costs are nanodollars; `null` is a price or bill that nobody told us. */
export type Call = {
  readonly index: number;
  readonly billed: Billed;
  readonly usage: Usage | null;
  readonly cost: number | null;
  readonly upstream: Upstream | null;
  /** Why no image came of it. */
  readonly failure: Failure | null;
  readonly startedAt: number | null;
  readonly answeredAt: number | null;
  readonly storedAt: number | null;
};

/**
 * Why an attempt gave its job back with images untried: there was no place for them, no memory at the worker, too little
 * time left of its function, or no lease fresh enough to begin a call under.
 */
export const releaseReasons = ["worker_memory", "function_time", "lease_age"] as const;
export type ReleaseReason = HeldReason | (typeof releaseReasons)[number];

/** The flight recorder's line for one claim. */
export type Attempt = {
  readonly fence: number;
  readonly queuedAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly ended: "succeeded" | "failed" | "retried" | "released" | "canceled" | "expired" | "worker_lost";
  readonly failure: Failure | null;
  /** Of a released one alone. */
  readonly reason: ReleaseReason | null;
  readonly calls: readonly Call[];
};

/** False while somebody may still tell what the calls cost: the owner who lost the lease, or a later attempt. */
export function isSettled(calls: readonly Call[]): boolean {
  return calls.every(({ billed }) => billed !== "unknown");
}

/**
 * What is known of the calls of an attempt once somebody tells of them too: several may know a part, of the same or of
 * other calls, and none makes unknown again what another knew.
 */
export function mergeCalls(there: readonly Call[], told: readonly Call[]): readonly Call[] {
  const merged = new Map(there.map((call) => [call.index, call]));
  for (const call of told) {
    const before = merged.get(call.index);
    if (before && before.billed !== "unknown") continue;
    merged.set(call.index, { ...call, startedAt: call.startedAt ?? before?.startedAt ?? null });
  }
  return [...merged.values()].sort((a, b) => a.index - b.index);
}

/** The line of an attempt whose worker isn't there to write it: what it was paying for may have been billed. */
export function abandoned(job: RunningJob, ended: Attempt["ended"], at: number): Attempt {
  return {
    fence: job.fence,
    queuedAt: job.queuedAt,
    startedAt: job.claimedAt,
    endedAt: at,
    ended,
    failure: null,
    reason: null,
    calls: job.paying.map(unknownCall),
  };
}

export function unknownCall(index: number): Call {
  return {
    index,
    billed: "unknown",
    usage: null,
    cost: null,
    upstream: null,
    failure: null,
    startedAt: null,
    answeredAt: null,
    storedAt: null,
  };
}
