import { type Failure, type FailureCode, failureClasses, retryDelayMs } from "../job/failure.ts";

/**
 * How many calls to one model under one provider key may be in flight, learnt from how they end. It opens like a TCP
 * window: by one with each answer up to `threshold`, beyond that by one with each round of calls. So a gate that was
 * closed lets one call through to probe, then two, then four.
 */
export type Gate = {
  /** Calls that may be in flight; grows by fractions, and counts rounded down. */
  readonly limit: number;
  readonly threshold: number;
  /** No call before this, in epoch milliseconds. */
  readonly closedUntil: number;
  /** Why it was closed; stays until a call begun since then is answered. */
  readonly closedBy: FailureCode | null;
  /** Closures since the last answer. */
  readonly strikes: number;
  /** When it was last closed or made narrower: calls begun by then tell nothing new. */
  readonly tightenedAt: number;
  /** Milliseconds that a picture takes: in the long run, and of late. */
  readonly usualMs: number | null;
  readonly recentMs: number | null;
};

/** What a deployment sets of its gates. */
export type GateBounds = {
  /** Calls in flight at most. */
  readonly ceiling: number;
  /** A closed gate is probed at least this often, whatever closed it. */
  readonly longestClosureMs: number;
};

/** How one call ended. Times are epoch milliseconds. */
export type Heard = {
  readonly startedAt: number;
  readonly answeredAt: number;
  readonly failure: Failure | null;
};

/** What is tried of a gate that nothing is known of. */
const firstLimit = 10;
/** By what a call that shows overload narrows the gate; slow answers narrow it gently. */
const overloadFactor = 0.5;
const slownessFactor = 0.9;
/** Pictures that take so many times longer than usual show that more calls only make them wait. */
const slowness = 2;
/** One 4K picture among many small ones must not look like overload, and a lasting change has to become the usual. */
const recentWeight = 0.1;
const usualWeight = 0.01;

export function newGate(ceiling: number): Gate {
  return {
    limit: Math.min(ceiling, firstLimit),
    threshold: ceiling,
    closedUntil: 0,
    closedBy: null,
    strikes: 0,
    tightenedAt: 0,
    usualMs: null,
    recentMs: null,
  };
}

/** Calls that may be in flight at `at`. */
export function width(gate: Gate, ceiling: number, at: number): number {
  return gate.closedUntil > at ? 0 : Math.min(ceiling, Math.floor(gate.limit));
}

/**
 * The gate after a call.
 * @param isFull whether the gate was what bounded the calls in flight: an idle one learns nothing from success
 */
export function hear(gate: Gate, heard: Heard, bounds: GateBounds, isFull: boolean): Gate {
  const { startedAt, answeredAt: at, failure } = heard;
  const isOld = startedAt <= gate.tightenedAt;
  const effect = failure ? failureClasses[failure.code].gate : "opens";
  if (failure && effect === "closes")
    return isOld && gate.closedBy !== null
      ? prolong(gate, failure, at, bounds)
      : close(gate, failure, at, bounds);
  if (isOld) return gate;
  if (failure && effect === "tightens") return tighten(gate, failure, at, bounds);
  return open(gate, heard, bounds, isFull);
}

function close(gate: Gate, failure: Failure, at: number, { longestClosureMs }: GateBounds): Gate {
  // What was learnt before the first closure is worth going back to; a probe that is refused teaches nothing of it
  const before = gate.strikes === 0 ? gate.limit : gate.threshold;
  return {
    ...gate,
    limit: 1,
    threshold: failure.code === "rate_limited" && gate.strikes === 0 ? Math.max(1, before / 2) : before,
    closedUntil: at + Math.min(longestClosureMs, retryDelayMs(failure, gate.strikes, 0)),
    closedBy: failure.code,
    strikes: gate.strikes + 1,
    tightenedAt: at,
  };
}

/** Calls that were under way at a closure may have been asked to stay away for longer. */
function prolong(gate: Gate, failure: Failure, at: number, { longestClosureMs }: GateBounds): Gate {
  if (failure.retryAfterMs === undefined) return gate;
  const closedUntil = at + Math.min(longestClosureMs, retryDelayMs(failure, 0, 0));
  return closedUntil > gate.closedUntil ? { ...gate, closedUntil, closedBy: failure.code } : gate;
}

function tighten(gate: Gate, failure: Failure, at: number, bounds: GateBounds): Gate {
  if (Math.floor(gate.limit) <= 1) return close(gate, failure, at, bounds);
  const limit = Math.max(1, gate.limit * overloadFactor);
  return { ...gate, limit, threshold: limit, tightenedAt: at };
}

function open(
  gate: Gate,
  { startedAt, answeredAt, failure }: Heard,
  { ceiling }: GateBounds,
  isFull: boolean,
): Gate {
  const ms = failure ? null : answeredAt - startedAt;
  const usualMs = ms === null ? gate.usualMs : mixed(gate.usualMs, ms, usualWeight);
  const recentMs = ms === null ? gate.recentMs : mixed(gate.recentMs, ms, recentWeight);
  const answered = { ...gate, closedUntil: 0, closedBy: null, strikes: 0, usualMs, recentMs };
  if (usualMs !== null && recentMs !== null && recentMs > slowness * usualMs) {
    const limit = Math.max(1, gate.limit * slownessFactor);
    return { ...answered, limit, threshold: limit, tightenedAt: answeredAt };
  }
  if (!isFull) return answered;
  const step = gate.limit < gate.threshold ? 1 : 1 / gate.limit;
  return { ...answered, limit: Math.min(ceiling, gate.limit + step) };
}

function mixed(before: number | null, value: number, weight: number): number {
  return before === null ? value : before + weight * (value - before);
}
