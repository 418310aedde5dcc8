import type { Clock } from "../clock.ts";
import type { JobId } from "../id.ts";
import { messageDelayMs, type RunningJob } from "./job.ts";
import { type Policy, waitInPlaceMs } from "./policy.ts";
import type { JobQueue, Jobs } from "./ports.ts";
import { transition } from "./transition.ts";

/** Why a message led to no attempt. All are normal, and the message has done its duty. */
export type Unclaimed = "absent" | "over" | "leased" | "not_due" | "expired" | "workers_lost";

/**
 * Takes the job that a message names, if it is there to be taken. A message that comes a little early is waited for;
 * one that comes much too early is sent again for the right time.
 */
export async function claim(
  { jobs, queue, clock, policy }: { jobs: Jobs; queue: JobQueue; clock: Clock; policy: Policy },
  id: JobId,
): Promise<RunningJob | Unclaimed> {
  for (;;) {
    const job = await jobs.load(id);
    if (!job) return "absent";
    const claimed = await transition(jobs, job, { type: "claimed", at: clock.now() }, policy);
    switch (claimed.refused) {
      case undefined:
        return claimed.job.status === "running" ? claimed.job : "workers_lost";
      case "deadline_passed":
        await transition(jobs, claimed.job ?? job, { type: "expired", at: clock.now() }, policy);
        return "expired";
      case "not_due": {
        const early = claimed.job?.status === "queued" ? claimed.job : null;
        if (!early) break; // it moved on between the write and the answer
        const wait = early.runAfter - clock.now();
        if (wait <= waitInPlaceMs) {
          await clock.sleep(Math.max(0, wait));
          break;
        }
        const delay = messageDelayMs(early, clock.now());
        if (delay !== null) await queue.send(early, delay);
        return "not_due";
      }
      case "lease_lost":
        throw new Error(`Cannot claim job "${id}": a claim carries no fence, so it can't lose a lease`);
      case "over":
      case "leased":
      case "absent":
        return claimed.refused;
    }
  }
}
