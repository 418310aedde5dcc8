import type { Held } from "../capacity/held.ts";
import type { Failure } from "./failure.ts";
import type { QueuedJob, RunningJob } from "./job.ts";
import { crashBudget } from "./policy.ts";

/** A job's deadline has passed: what it was waiting for, and whether that may cost something. */
export function deadlineExceeded(job: QueuedJob | RunningJob): Failure {
  const { lastFailure } = job;
  const isPaying = job.status === "running" && job.paying.length > 0;
  const cause = isPaying
    ? "an attempt was still under way"
    : job.status === "queued" && job.held
      ? `it waited for ${heldFor(job.held)}`
      : lastFailure
        ? `the latest attempt ended with ${lastFailure.code}: ${lastFailure.message}`
        : "no worker was free before it";
  return {
    code: "deadline_exceeded",
    message: `The job's deadline passed; ${cause}`,
    billed: isPaying ? "unknown" : (lastFailure?.billed ?? "no"),
  };
}

function heldFor({ reason }: Held): string {
  if (reason === "tenant_limit") return "other jobs of its tenant";
  return reason === "model_limit" ? "other calls to its model" : `its model, which is held up by ${reason}`;
}

/** An attempt got as far as its call, and the deadline was quicker: it says so, rather than leave the job to the sweep. */
export function begunTooLate({ lastFailure }: RunningJob): Failure {
  return {
    code: "deadline_exceeded",
    message: "The job's deadline passed before its call to the model could begin",
    billed: lastFailure?.billed ?? "no",
  };
}

/** Said at once rather than waited for. */
export function nextTryTooLate(failure: Failure): Failure {
  const message = `The next try would come after the job's deadline; the latest ended with ${failure.code}: ${failure.message}`;
  return { code: "deadline_exceeded", message, billed: failure.billed };
}

/** The job brought down one worker too many. */
export const workersLost: Failure = {
  code: "internal",
  message: `${crashBudget + 1} workers ended in the middle of this job`,
  billed: "unknown",
};
