import type { Clock } from "../clock.ts";
import { DomainError } from "../error.ts";
import type { JobId } from "../id.ts";
import type { Job } from "./job.ts";
import type { Policy } from "./policy.ts";
import type { Jobs } from "./ports.ts";
import { transition } from "./transition.ts";

/**
 * Cancels a job that isn't over; one that is over is answered as it ended. A running attempt stops at its next beat.
 * @throws DomainError `job_not_found`, also for another tenant's job
 */
export async function cancel(
  { jobs, clock, policy }: { jobs: Jobs; clock: Clock; policy: Policy },
  tenant: string,
  id: JobId,
): Promise<Job> {
  const job = await jobs.load(id);
  if (!job || job.tenant !== tenant) throw new DomainError("job_not_found", `There is no job "${id}"`);
  const canceled = await transition(jobs, job, { type: "canceled", at: clock.now() }, policy);
  if (canceled.job === null) throw new DomainError("job_not_found", `There is no job "${id}"`);
  return canceled.job;
}
