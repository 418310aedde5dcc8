import type { CapacityPorts } from "../capacity/ports.ts";
import { standInLine } from "../capacity/promote.ts";
import type { Random } from "../clock.ts";
import type { Model } from "../model/model.ts";
import type { Attempt, Call } from "./attempt.ts";
import { type Conclusion, conclude, type More } from "./conclude.ts";
import type { Failure } from "./failure.ts";
import { LeaseLost } from "./heartbeat.ts";
import { insist } from "./insist.ts";
import { type Job, messageDelayMs, type QueuedJob, type RunningJob } from "./job.ts";
import type { Outcome } from "./outcome.ts";
import type { OwnJob } from "./own-job.ts";
import type { JobRequest } from "./request.ts";

type Ports = CapacityPorts & { readonly random: Random };

/** What an attempt has in hand at its end. `failures` are those that no stored outcome tells. */
export type InHand = {
  readonly outcomes: readonly Outcome[];
  readonly failures: readonly Failure[];
  readonly calls: readonly Call[];
  /** Images are left that this attempt didn't try. */
  readonly more: More | null;
  /** When the next call to the model may be made, where that is known. */
  readonly opensAt: number | null;
};

/** How an attempt ended, for the log. */
export type Closed = { readonly ended: Attempt["ended"]; readonly fence: number; readonly failure?: Failure };

/**
 * Ends an attempt: success, retry or failure, in one transaction with its line in the flight recorder.
 * @throws LeaseLost when the job is no longer this attempt's to end
 */
export async function closeAttempt(
  ports: Ports,
  { claimed, tell }: OwnJob,
  model: Model | null,
  request: JobRequest,
  { outcomes, failures, calls, more, opensAt }: InHand,
  signal: AbortSignal,
): Promise<Closed> {
  const { jobs, clock, policy, random } = ports;
  const at = clock.now();
  const now = { at, opensAt, random: random.fraction() };
  const conclusion = conclude(model, claimed, request, outcomes, failures, more, now, policy);
  const { ended, failure, reason = null, fact, result } = conclusion;
  const line: Attempt = {
    fence: claimed.fence,
    queuedAt: claimed.queuedAt,
    startedAt: claimed.claimedAt,
    endedAt: at,
    ended,
    failure,
    reason,
    calls,
  };
  const closed = await insist(ports, signal, () =>
    tell(fact, { attempt: line, ...(result ? { result } : {}) }),
  );
  if (closed.refused && !isOwn(closed.job, claimed, conclusion)) throw new LeaseLost(closed.refused);
  // What looks like our own commit may be the sweep's at the same fence, which knows nothing of the bill
  if (closed.refused) await insist(ports, signal, () => jobs.settle(claimed.id, claimed.fence, calls));
  if (closed.job?.status === "queued") await goOn(ports, closed.job);
  return { ended, fence: claimed.fence, ...(failure ? { failure } : {}) };
}

/** A commit whose answer was lost finds the job where only the owner of its fence can have brought it. */
function isOwn(job: Job | null, claimed: RunningJob, { ended }: Conclusion): boolean {
  const status = ended === "retried" || ended === "released" ? "queued" : ended;
  return job !== null && job.fence === claimed.fence && job.status === status;
}

async function goOn(ports: Ports, job: QueuedJob): Promise<void> {
  const { queue, clock } = ports;
  if (job.held) {
    await standInLine(ports, job);
    return;
  }
  const delay = messageDelayMs(job, clock.now());
  // A second more than the wait, so that the message doesn't come early and sit in a worker
  if (delay !== null) await queue.send(job, delay === 0 ? 0 : delay + 1_000);
}
