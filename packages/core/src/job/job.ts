import type { Held } from "../capacity/held.ts";
import type { JobId } from "../id.ts";
import type { JobEventType } from "../webhook/event.ts";
import type { Failure } from "./failure.ts";
import { longestDelayMs, type Policy } from "./policy.ts";

/** What every job has, whatever its status. Times are epoch milliseconds. */
export type JobBase = {
  readonly id: JobId;
  readonly tenant: string;
  readonly model: string;
  /** Images wanted. */
  readonly count: number;
  /** How it may end for its own webhook to hear of it; empty where it has none. */
  readonly notifies: readonly JobEventType[];
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

export type QueuedJob = JobBase &
  Unfinished & {
    readonly status: "queued";
    readonly runAfter: number;
    /** What it waits for although it is due; `null` where a message is on its way. */
    readonly held: Held | null;
  };
export type RunningJob = JobBase &
  Unfinished & {
    readonly status: "running";
    /** Only a queued job is held. */
    readonly held?: undefined;
    /** Since when this attempt could have been made: the job was due, or its last worker's lease was over. */
    readonly queuedAt: number;
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
  | { readonly type: "held"; readonly held: Held }
  | { readonly type: "promoted" }
  | { readonly type: "beaten"; readonly fence: number }
  | { readonly type: "rechecked"; readonly fence: number; readonly paying: readonly number[] }
  | {
      readonly type: "released";
      readonly fence: number;
      /** Whether images came, and are stored. */
      readonly hasImages: boolean;
      /** What the images that are left have to wait for. */
      readonly held: Held | null;
    }
  | { readonly type: "succeeded"; readonly fence: number }
  | {
      readonly type: "attempt_failed";
      readonly fence: number;
      /** One for each image that didn't come; at least one. */
      readonly failures: readonly [Failure, ...Failure[]];
      /** Whether images came all the same, and are stored. */
      readonly hasImages: boolean;
      /** When the next call to the model may be made, where that is known. */
      readonly opensAt: number | null;
      /** In [0, 1): spreads retries. */
      readonly random: number;
    }
  | { readonly type: "canceled" }
  | { readonly type: "expired" }
  | { readonly type: "swept" }
);

/** Why a fact does not apply. None is an error: duplicates, late comers and zombies are normal. */
export type Refusal = {
  readonly refused: "over" | "lease_lost" | "leased" | "not_due" | "deadline_passed" | "held" | "not_held";
};

/** A job at its creation: queued, due at once, its message expected soon. */
export function newJob(
  about: Pick<JobBase, "id" | "tenant" | "model" | "count" | "notifies" | "createdAt" | "deadlineAt">,
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
    held: null,
    dueAt: Math.min(createdAt + policy.arrivalMs, deadlineAt),
    checks: 0,
  };
}

export function isFinished(job: Job): job is FinishedJob {
  return job.status !== "queued" && job.status !== "running";
}

/** Whether nobody is on the job and it may be claimed at `at`, so that a message for it is worth sending. */
export function isClaimable(job: Job, at: number): boolean {
  switch (job.status) {
    case "queued":
      return !job.held;
    case "running":
      return job.leaseUntil <= at;
    default:
      return false;
  }
}

/** Milliseconds that the message of a queued job has to wait, or `null` where it needs none: what comes then is the sweep's. */
export function messageDelayMs(job: QueuedJob, at: number): number | null {
  const delay = Math.max(0, job.runAfter - at);
  return job.held || delay > longestDelayMs || job.runAfter >= job.deadlineAt ? null : delay;
}

/** Whether somebody is on the job, and nobody else may be. */
export function isLeased(job: QueuedJob | RunningJob, at: number): job is RunningJob {
  return job.status === "running" && !isClaimable(job, at);
}
