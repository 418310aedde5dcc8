import type { Held } from "../capacity/held.ts";
import { deadlineExceeded, nextTryTooLate, workersLost } from "./closing-failures.ts";
import { closesGate, type Failure, type FailureCode, isExhausted, retryDelayMs } from "./failure.ts";
import {
  type Fact,
  type FinishedJob,
  isFinished,
  isLeased,
  type Job,
  type JobBase,
  type QueuedJob,
  type Refusal,
  type RunningJob,
} from "./job.ts";
import { crashBudget, firstCheckMs, longestCheckMs, longestDelayMs, type Policy } from "./policy.ts";

/** The only way a job changes. Pure and total: an unhandled fact does not compile. */
export function advance(job: Job, fact: Fact, policy: Policy): Job | Refusal {
  if (isFinished(job)) return { refused: "over" };
  const expired = job.deadlineAt <= fact.at;
  if ("fence" in fact) {
    if (job.status !== "running" || fact.fence !== job.fence) return { refused: "lease_lost" };
    return advanceOwned(job, fact, expired, policy);
  }
  switch (fact.type) {
    case "claimed":
      if (isLeased(job, fact.at)) return { refused: "leased" };
      if (expired) return { refused: "deadline_passed" };
      return claim(job, fact.at, policy);
    case "held":
      if (isLeased(job, fact.at)) return { refused: "leased" };
      if (expired) return { refused: "deadline_passed" };
      return hold(job, fact.held, fact.at, policy);
    case "promoted":
      if (job.status !== "queued" || job.held === null) return { refused: "not_held" };
      if (expired) return { refused: "deadline_passed" };
      return requeue(job, fact.at, fact.at, policy);
    case "canceled":
      return { ...base(job), status: "canceled", finishedAt: fact.at };
    case "expired":
      if (isLeased(job, fact.at)) return { refused: "leased" };
      return expired ? giveUp(job, deadlineExceeded(job), fact.at) : { refused: "not_due" };
    case "swept":
      if (expired && !isLeased(job, fact.at)) return giveUp(job, deadlineExceeded(job), fact.at);
      return job.dueAt > fact.at ? { refused: "not_due" } : checkLater(job, fact.at);
  }
}

/** What only the owner of a fence can tell. */
type OwnerFact = Extract<Fact, { readonly fence: number }>;

function advanceOwned(job: RunningJob, fact: OwnerFact, expired: boolean, policy: Policy): Job | Refusal {
  switch (fact.type) {
    case "beaten":
      // Also past the deadline: the call ends by then, and its owner is the one to say with what
      return moved(job, { leaseUntil: renewed(job, fact.at, policy) });
    case "rechecked":
      if (expired) return { refused: "deadline_passed" };
      return moved(job, { leaseUntil: renewed(job, fact.at, policy), paying: fact.paying });
    case "released":
      return release({ ...job, hasImages: job.hasImages || fact.hasImages }, fact.held, fact.at, policy);
    case "succeeded":
      return { ...base(job), status: "succeeded", finishedAt: fact.at };
    case "attempt_failed":
      return retryOrFail({ ...job, hasImages: job.hasImages || fact.hasImages }, fact, policy);
  }
}

/** A job that may be taken on: over an expired lease that costs a crash, and one too many ends it. */
function takeOver(job: QueuedJob | RunningJob, at: number): QueuedJob | RunningJob | FinishedJob | Refusal {
  if (job.status === "queued") return job.runAfter > at ? { refused: "not_due" } : job;
  const crashed = { ...job, crashes: job.crashes + 1 };
  return crashed.crashes > crashBudget ? giveUp(crashed, workersLost, at) : crashed;
}

function claim(from: QueuedJob | RunningJob, at: number, policy: Policy): Job | Refusal {
  const job = takeOver(from, at);
  if (!("dueAt" in job)) return job;
  const leaseUntil = at + policy.leaseMs;
  return {
    ...base(job),
    status: "running",
    startedAt: job.startedAt ?? at,
    fence: job.fence + 1,
    queuedAt: job.status === "queued" ? job.runAfter : job.leaseUntil,
    claimedAt: at,
    leaseUntil,
    paying: [],
    dueAt: Math.min(leaseUntil, job.deadlineAt),
    checks: 0,
  };
}

/** A fact that froze on its way tells of an earlier time: it must not take away what a later one has given. */
function renewed({ leaseUntil }: RunningJob, at: number, { leaseMs }: Policy): number {
  return Math.max(leaseUntil, at + leaseMs);
}

/** Nothing is sent while it waits: whoever frees a place lets it in, and the sweep looks after it now and then. */
function hold(from: QueuedJob | RunningJob, held: Held, at: number, policy: Policy): Job | Refusal {
  if (from.held?.by === held.by && from.held.reason === held.reason) return { refused: "held" };
  const job = takeOver(from, at);
  if (!("dueAt" in job)) return job;
  const nextLook = Math.max(at + firstCheckMs, held.until ?? 0);
  const since = job.held?.since ?? held.since;
  return {
    ...requeue(job, at, at, policy),
    held: { ...held, since },
    dueAt: Math.min(nextLook, job.deadlineAt),
  };
}

function release(job: QueuedJob | RunningJob, held: Held | null, at: number, policy: Policy): QueuedJob {
  const queued = requeue(job, at, at, policy);
  return held ? { ...queued, held, dueAt: Math.min(at + firstCheckMs, job.deadlineAt) } : queued;
}

/** Jobs that a closed gate sent away don't all return in the same moment. */
const spreadMs = 1_000;

type AttemptFailed = Extract<Fact, { type: "attempt_failed" }>;

/** Spends the budget of each kind of failure once; the one with the longest wait decides when the next try is. */
function retryOrFail(job: QueuedJob | RunningJob, fact: AttemptFailed, policy: Policy): Job {
  const { failures, at, opensAt, random } = fact;
  const spent = (code: FailureCode) => job.spent[code] ?? 0;
  const exhausted = failures.find(({ code }) => isExhausted(code, spent(code)));
  if (exhausted) return giveUp(job, exhausted, at);
  const wait = (failure: Failure) =>
    opensAt !== null && closesGate(failure.code)
      ? Math.max(0, opensAt - at) + Math.round(random * spreadMs)
      : retryDelayMs(failure, spent(failure.code), random);
  const [slowest] = failures.toSorted((a, b) => wait(b) - wait(a));
  const failure = brief(slowest ?? failures[0]);
  const runAfter = at + wait(slowest ?? failures[0]);
  // What holds up everybody may pass sooner than it says; what is this job's own trouble is told at once
  if (runAfter >= job.deadlineAt && !closesGate(failure.code))
    return giveUp(job, nextTryTooLate(failure), at);
  const codes = new Set(failures.map(({ code }) => code));
  const nowSpent = {
    ...job.spent,
    ...Object.fromEntries(Array.from(codes, (code) => [code, spent(code) + 1])),
  };
  return requeue({ ...job, lastFailure: failure, spent: nowSpent }, at, runAfter, policy);
}

function requeue(job: QueuedJob | RunningJob, at: number, runAfter: number, policy: Policy): QueuedJob {
  const messageComes = runAfter - at <= longestDelayMs;
  return {
    ...base(job),
    status: "queued",
    runAfter,
    held: null,
    dueAt: Math.min(messageComes ? runAfter + policy.arrivalMs : runAfter, job.deadlineAt),
    checks: 0,
  };
}

const briefLength = 200;

/** A failure that is only passing through keeps its reason, not a model's whole text: a job's item stays small. */
function brief({ code, message, billed }: Failure): Failure {
  return {
    code,
    message: message.length > briefLength ? `${message.slice(0, briefLength)}…` : message,
    billed,
  };
}

/** The sweep looks again later, ever more rarely; at a live lease it looks when that would run out. */
function checkLater(job: QueuedJob | RunningJob, at: number): Job {
  if (isLeased(job, at)) return moved<QueuedJob | RunningJob>(job, { dueAt: job.leaseUntil });
  const wait = Math.min(longestCheckMs, firstCheckMs * 2 ** Math.min(job.checks, 10));
  return moved(job, { dueAt: Math.min(at + wait, job.deadlineAt), checks: job.checks + 1 });
}

/** Nothing more will be tried. What is there already is a success, if only a partial one. */
function giveUp(job: QueuedJob | RunningJob, failure: Failure, at: number): FinishedJob {
  if (job.hasImages) return { ...base(job), status: "succeeded", finishedAt: at };
  return { ...base(job), status: "failed", failure, finishedAt: at };
}

function moved<J extends QueuedJob | RunningJob>(job: J, change: Partial<J>): J {
  return { ...job, ...change, version: job.version + 1 };
}

function base(job: QueuedJob | RunningJob): JobBase {
  return {
    id: job.id,
    tenant: job.tenant,
    model: job.model,
    count: job.count,
    notifies: job.notifies,
    createdAt: job.createdAt,
    deadlineAt: job.deadlineAt,
    startedAt: job.startedAt,
    fence: job.fence,
    spent: job.spent,
    crashes: job.crashes,
    lastFailure: job.lastFailure,
    hasImages: job.hasImages,
    version: job.version + 1,
  };
}
