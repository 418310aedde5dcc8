import { leaveUnclaimed } from "../capacity/admit.ts";
import type { CapacityPorts } from "../capacity/ports.ts";
import { DomainError } from "../error.ts";
import type { JobId } from "../id.ts";
import { isFinished } from "./job.ts";
import { tombstoneOf } from "./tombstone.ts";

/**
 * Deletes a job that is over: from now on it isn't there for anybody, and the sweep erases its records, inputs and
 * images. Deleting it again does nothing.
 * @throws DomainError `job_not_found`, also for another tenant's job; `job_not_finished`
 */
export async function deleteJob(ports: CapacityPorts, tenant: string, id: JobId): Promise<void> {
  const { jobs, clock } = ports;
  for (;;) {
    const job = await jobs.load(id);
    const there = job ?? (await jobs.loadTombstone(id));
    if (there?.tenant !== tenant) throw new DomainError("job_not_found", `There is no job "${id}"`);
    if (!job) return;
    if (!isFinished(job))
      throw new DomainError(
        "job_not_finished",
        `Job "${id}" is ${job.status}; cancel it, or wait until it is over, and then delete it`,
      );
    // Canceled before its message came, it has places yet; that finds nobody any more to give them back for
    if (job.status !== "succeeded") await leaveUnclaimed(ports, job);
    if (await jobs.bury(job, tombstoneOf(job, clock.now()))) return;
  }
}
