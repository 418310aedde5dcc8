import { DomainError } from "@plantain/core/error";
import { isJobId } from "@plantain/core/id";
import type { JobRecord, Jobs } from "@plantain/core/job/ports";

/**
 * A job of this tenant.
 * @throws DomainError `job_not_found`, the same for a job that is absent and for another tenant's
 */
export async function readJob(jobs: Jobs, tenant: string, id: string): Promise<JobRecord> {
  const record = isJobId(id) ? await jobs.read(id) : null;
  if (!record || record.job.tenant !== tenant)
    throw new DomainError("job_not_found", `There is no job "${id}"`);
  return record;
}
