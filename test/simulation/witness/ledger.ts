import type { JobId } from "@plantain/core/id";
import type { FailureCode } from "@plantain/core/job/failure";
import type { Run } from "../caller.ts";

/** One call as the provider's books have it. */
export type Entry = {
  /** Also what makes its picture and its cost unlike any other's. */
  readonly number: number;
  readonly run: Run;
  readonly jobId: JobId;
  readonly fence: number | null;
  readonly index: number;
  /** When the recheck before it took effect: from then on a crash or freeze may cost a second payment. */
  readonly since: number;
  readonly startedAt: number;
  billed: boolean;
  /** Nanodollars, if billed. */
  readonly cost: number;
  /** What the worker heard of it; `null` when it died or froze before it could. */
  heard: "image" | "lease_lost" | "given_up" | FailureCode | null;
  /** Hashes of the reference images, in order. */
  readonly sent: readonly string[];
  /** Of the picture drawn. */
  readonly sha256: string | null;
  storedAt: number | null;
  /** When the worker heard of it, or gave it up. */
  endedAt: number | null;
};

/** Frozen for longer than this, a worker may miss the beat that keeps its lease: 60 s of lease, 20 s between beats. */
const harmlessFreezeMs = 30_000;

/** Whether something happened to the worker between its recheck and the stored picture that no protocol can mend. */
export function isExcused({ run, since, storedAt }: Entry): boolean {
  const until = storedAt ?? Number.POSITIVE_INFINITY;
  if (run.failedBeats.some((at) => since <= at && at <= until)) return true;
  const { mishaps } = run.process;
  if (mishaps.some(({ kind, from }) => kind === "crash" && since <= from && from <= until)) return true;
  const frozen = mishaps
    .filter(({ kind }) => kind === "freeze")
    .reduce(
      (sum, freeze) => sum + Math.max(0, Math.min(freeze.until, until) - Math.max(freeze.from, since)),
      0,
    );
  return frozen > harmlessFreezeMs;
}

/** Whether it was paid for, and nothing that happened so far lets it be paid for again. */
export function isPlainlyPaid(call: Entry): boolean {
  return call.billed && !isHeardFailure(call) && !isExcused(call);
}

/** Whether nothing kept the worker from telling what it heard of a call. */
export function isUndisturbed({ run, since }: Entry): boolean {
  const happened = run.process.mishaps.some(({ until }) => until >= since);
  return !happened && !run.isMuted && !run.failedBeats.some((at) => at >= since);
}

/** Whether the worker heard that the call failed: then another one is a retry, and within its class's budget. */
export function isHeardFailure({ heard }: Entry): boolean {
  return heard !== null && !notFailures.includes(heard);
}

const notFailures: readonly Entry["heard"][] = ["image", "lease_lost", "given_up"];
