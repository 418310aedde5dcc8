import { type Admission, admit, leaveUnclaimed } from "../capacity/admit.ts";
import { type Held, modelPool } from "../capacity/held.ts";
import type { CapacityPorts } from "../capacity/ports.ts";
import { standInLine } from "../capacity/promote.ts";
import type { JobId } from "../id.ts";
import { advance } from "./advance.ts";
import {
  isFinished,
  type Job,
  messageDelayMs,
  type QueuedJob,
  type Refusal,
  type RunningJob,
} from "./job.ts";
import { waitInPlaceMs } from "./policy.ts";
import { transition } from "./transition.ts";

/** Why a message led to no attempt. All are normal, and the message has done its duty. */
export type Unclaimed = "absent" | "over" | "leased" | "not_due" | "held" | "expired" | "workers_lost";

/** A job that is this worker's now, with its place; without one it may use what is stored, and call nobody. */
export type Claimed = { readonly job: RunningJob; readonly admission: Admission | Held };

type Ports = CapacityPorts;
type LeftMs = () => number;

/**
 * Takes the job that a message names, if it is there to be taken and there is a place for it; a job that has to wait for
 * one is held before it is claimed, and spends neither attempt nor message on that. A message that comes a little early
 * is waited for; one that comes much too early is sent again for the right time.
 * @param leftMs tells how long this function may still run
 */
export async function claim(ports: Ports, id: JobId, leftMs: LeftMs): Promise<Claimed | Unclaimed> {
  for (;;) {
    const job = await ports.jobs.load(id);
    if (!job) return "absent";
    const claimed = advance(job, { type: "claimed", at: ports.clock.now() }, ports.policy);
    const came =
      "refused" in claimed
        ? await putOff(ports, job, claimed.refused)
        : isFinished(claimed)
          ? await take(ports, job, placeless(job, ports.clock.now()))
          : await enter(ports, job, leftMs);
    if (came !== "again") return came;
  }
}

/** Gets a place first, then the job. */
async function enter(ports: Ports, job: Job, leftMs: LeftMs): Promise<Claimed | Unclaimed | "again"> {
  if (isFinished(job)) return "over";
  const admission = await admit(ports, job, job.count, ports.clock.now() + leftMs());
  if ("reason" in admission)
    return mayHaveStored(job) ? take(ports, job, admission) : hold(ports, job, admission);
  const came = await take(ports, job, admission);
  // A duplicate that was quicker has made the very attempt that this place is for
  if (typeof came === "string" && !(await isRunningAt(ports, job.id, job.fence + 1))) await admission.leave();
  return came;
}

async function take(
  ports: Ports,
  job: Job,
  admission: Admission | Held,
): Promise<Claimed | Unclaimed | "again"> {
  const { jobs, clock, policy } = ports;
  const claimed = await transition(jobs, job, { type: "claimed", at: clock.now() }, policy);
  if (claimed.refused === "absent") return "absent";
  if (claimed.refused !== undefined) return putOff(ports, claimed.job ?? job, claimed.refused);
  return claimed.job.status === "running" ? { job: claimed.job, admission } : "workers_lost";
}

async function hold(ports: Ports, job: QueuedJob | RunningJob, held: Held): Promise<Unclaimed | "again"> {
  const { jobs, clock, policy } = ports;
  const came = await transition(jobs, job, { type: "held", at: clock.now(), held }, policy);
  if (came.refused !== undefined && came.refused !== "held") return "again";
  if (came.job?.status !== "queued") return "workers_lost";
  await standInLine(ports, came.job);
  return "held";
}

async function putOff(ports: Ports, job: Job, refused: Refusal["refused"]): Promise<Unclaimed | "again"> {
  const { jobs, queue, clock, policy } = ports;
  switch (refused) {
    case "deadline_passed":
      await transition(jobs, job, { type: "expired", at: clock.now() }, policy);
      await leaveUnclaimed(ports, job);
      return "expired";
    case "not_due": {
      if (job.status !== "queued") return "again"; // it moved on between the write and the answer
      const wait = job.runAfter - clock.now();
      if (wait <= waitInPlaceMs) {
        await clock.sleep(Math.max(0, wait));
        return "again";
      }
      const delay = messageDelayMs(job, clock.now());
      if (delay !== null) await queue.send(job, delay);
      return "not_due";
    }
    case "over":
      // Canceled or expired with a place, and before the attempt that it was for
      if (job.status !== "succeeded") await leaveUnclaimed(ports, job);
      return "over";
    case "leased":
      return "leased";
    case "lease_lost":
    case "held":
    case "not_held":
      throw new Error(`Cannot claim job "${job.id}": no claim is ever refused with "${refused}"`);
  }
}

/** What its last worker paid for may lie there already, and needs no further call to be used. */
function mayHaveStored(job: QueuedJob | RunningJob): boolean {
  return job.status === "running" && job.paying.length > 0;
}

/** For a job that is brought to its end: should somebody else have moved it on, it is looked at without a call. */
function placeless(job: Job, since: number): Held {
  return { by: modelPool(job.model), reason: "model_limit", since, until: null };
}

async function isRunningAt({ jobs }: Ports, id: JobId, fence: number): Promise<boolean> {
  const job = await jobs.load(id);
  return job?.status === "running" && job.fence === fence;
}
