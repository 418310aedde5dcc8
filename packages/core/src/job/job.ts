import type { JobId } from "../id.ts";
import { type Failure, type FailureCode, isExhausted, retryDelayMs } from "./failure.ts";
import { crashBudget, firstCheckMs, longestCheckMs, longestDelayMs, type Policy } from "./policy.ts";

/** What every job has, whatever its status. Times are epoch milliseconds. */
export type JobBase = {
  readonly id: JobId;
  readonly tenant: string;
  readonly model: string;
  readonly createdAt: number;
  readonly deadlineAt: number;
  /** When the first attempt was claimed. */
  readonly startedAt: number | null;
  /** Number of the latest attempt, which is also its fencing token; 0 before the first claim. */
  readonly fence: number;
  /** Retries spent, by failure code. */
  readonly spent: Readonly<Record<string, number>>;
  /** Attempts that ended with their worker: a lease ran out over them. */
  readonly crashes: number;
  /** Why the latest attempt ended without an image, while the job goes on. */
  readonly lastFailure: Failure | null;
  /** Some of its images are stored and told in its result: should no more come, they are a success. */
  readonly hasImages: boolean;
  /** Counts every write; a write names the version it follows. */
  readonly version: number;
};

/** What an unfinished job waits for. `checks` counts the sweep's looks since the job last moved. */
type Unfinished = { readonly dueAt: number; readonly checks: number };

export type QueuedJob = JobBase & Unfinished & { readonly status: "queued"; readonly runAfter: number };
export type RunningJob = JobBase &
  Unfinished & {
    readonly status: "running";
    readonly claimedAt: number;
    readonly leaseUntil: number;
    /** Image indexes whose paid call may be under way. */
    readonly paying: readonly number[];
  };
export type FinishedJob = JobBase & { readonly finishedAt: number } & (
    | { readonly status: "succeeded" }
    | { readonly status: "failed"; readonly failure: Failure }
    | { readonly status: "canceled" }
  );

/** One request for images, with one outcome. It changes only through `advance`. */
export type Job = QueuedJob | RunningJob | FinishedJob;
export type JobStatus = Job["status"];

/** What happened, and when; so replaying facts needs no clock. */
export type Fact = { readonly at: number } & (
  | { readonly type: "claimed" }
  | { readonly type: "beaten"; readonly fence: number }
  | { readonly type: "rechecked"; readonly fence: number; readonly paying: readonly number[] }
  | {
      readonly type: "released";
      readonly fence: number;
      /** Whether images came, and are stored. */
      readonly hasImages: boolean;
    }
  | { readonly type: "succeeded"; readonly fence: number }
  | {
      readonly type: "attempt_failed";
      readonly fence: number;
      /** One for each image that didn't come; at least one. */
      readonly failures: readonly [Failure, ...Failure[]];
      /** Whether images came all the same, and are stored. */
      readonly hasImages: boolean;
      /** In [0, 1): spreads retries. */
      readonly random: number;
    }
  | { readonly type: "canceled" }
  | { readonly type: "expired" }
  | { readonly type: "swept" }
);

/** Why a fact does not apply. None is an error: duplicates, late comers and zombies are normal. */
export type Refusal = { readonly refused: "over" | "lease_lost" | "leased" | "not_due" | "deadline_passed" };

/** A job at its creation: queued, due at once, its message expected soon. */
export function newJob(
  about: Pick<JobBase, "id" | "tenant" | "model" | "createdAt" | "deadlineAt">,
  policy: Policy,
): QueuedJob {
  const { createdAt, deadlineAt } = about;
  return {
    ...about,
    status: "queued",
    startedAt: null,
    fence: 0,
    spent: {},
    crashes: 0,
    lastFailure: null,
    hasImages: false,
    version: 1,
    runAfter: createdAt,
    dueAt: Math.min(createdAt + policy.arrivalMs, deadlineAt),
    checks: 0,
  };
}

/** The only way a job changes. Pure and total: an unhandled fact does not compile. */
export function advance(job: Job, fact: Fact, policy: Policy): Job | Refusal {
  if (isFinished(job)) return { refused: "over" };
  if ("fence" in fact && (job.status !== "running" || fact.fence !== job.fence))
    return { refused: "lease_lost" };
  const expired = job.deadlineAt <= fact.at;
  switch (fact.type) {
    case "claimed":
      if (isLeased(job, fact.at)) return { refused: "leased" };
      if (expired) return { refused: "deadline_passed" };
      return claim(job, fact.at, policy);
    case "beaten":
      // Also past the deadline: the call ends by then, and its owner is the one to say with what
      return moved(job, { leaseUntil: fact.at + policy.leaseMs });
    case "rechecked":
      if (expired) return { refused: "deadline_passed" };
      return moved(job, { leaseUntil: fact.at + policy.leaseMs, paying: fact.paying });
    case "released":
      return requeue({ ...job, hasImages: job.hasImages || fact.hasImages }, fact.at, fact.at, policy);
    case "succeeded":
      return { ...base(job), status: "succeeded", finishedAt: fact.at };
    case "attempt_failed":
      return retryOrFail({ ...job, hasImages: job.hasImages || fact.hasImages }, fact, policy);
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

export function isFinished(job: Job): job is FinishedJob {
  return job.status !== "queued" && job.status !== "running";
}

/** Whether nobody is on the job and it may be claimed at `at`, so that a message for it is worth sending. */
export function isClaimable(job: Job, at: number): boolean {
  return job.status === "queued" || (job.status === "running" && job.leaseUntil <= at);
}

/** Milliseconds that the message of a queued job has to wait, or `null` where the wait is left to the sweep. */
export function messageDelayMs(job: QueuedJob, at: number): number | null {
  const delay = Math.max(0, job.runAfter - at);
  return delay > longestDelayMs ? null : delay;
}

function claim(job: QueuedJob | RunningJob, at: number, policy: Policy): Job | Refusal {
  if (job.status === "queued" && job.runAfter > at) return { refused: "not_due" };
  const crashes = job.crashes + (job.status === "running" ? 1 : 0);
  if (crashes > crashBudget) return giveUp({ ...job, crashes }, workersLost, at);
  const leaseUntil = at + policy.leaseMs;
  return {
    ...base(job),
    crashes,
    status: "running",
    startedAt: job.startedAt ?? at,
    fence: job.fence + 1,
    claimedAt: at,
    leaseUntil,
    paying: [],
    dueAt: Math.min(leaseUntil, job.deadlineAt),
    checks: 0,
  };
}

type AttemptFailed = Extract<Fact, { type: "attempt_failed" }>;

/** Spends the budget of each kind of failure once; the one with the longest wait decides when the next try is. */
function retryOrFail(job: QueuedJob | RunningJob, fact: AttemptFailed, policy: Policy): Job {
  const { failures, at, random } = fact;
  const spent = (code: FailureCode) => job.spent[code] ?? 0;
  const exhausted = failures.find(({ code }) => isExhausted(code, spent(code)));
  if (exhausted) return giveUp(job, exhausted, at);
  const wait = (failure: Failure) => retryDelayMs(failure, spent(failure.code), random);
  const [slowest] = failures.toSorted((a, b) => wait(b) - wait(a));
  const failure = brief(slowest ?? failures[0]);
  const runAfter = at + wait(slowest ?? failures[0]);
  if (runAfter >= job.deadlineAt) return giveUp(job, nextTryTooLate(failure), at);
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

function isLeased(job: QueuedJob | RunningJob, at: number): job is RunningJob {
  return job.status === "running" && job.leaseUntil > at;
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

function deadlineExceeded(job: QueuedJob | RunningJob): Failure {
  const { lastFailure } = job;
  const isPaying = job.status === "running" && job.paying.length > 0;
  const cause = isPaying
    ? "an attempt was still under way"
    : lastFailure
      ? `the latest attempt ended with ${lastFailure.code}: ${lastFailure.message}`
      : "no worker was free before it";
  return {
    code: "deadline_exceeded",
    message: `The job's deadline passed; ${cause}`,
    billed: isPaying ? "unknown" : (lastFailure?.billed ?? "no"),
  };
}

/** Said at once rather than waited for. */
function nextTryTooLate(failure: Failure): Failure {
  const message = `The next try would come after the job's deadline; the latest ended with ${failure.code}: ${failure.message}`;
  return { code: "deadline_exceeded", message, billed: failure.billed };
}

const workersLost: Failure = {
  code: "internal",
  message: `${crashBudget + 1} workers ended in the middle of this job`,
  billed: "unknown",
};
