import type { Job, QueuedJob, RunningJob } from "../job/job.ts";
import { changePool } from "./change-pool.ts";
import type { Heard } from "./gate.ts";
import { type Held, heldBy, modelPool, type PoolName, tenantPool } from "./held.ts";
import { boundsOf } from "./limits.ts";
import { type Full, giveBack, opensAt, type Pool, request, type Slot } from "./pool.ts";
import type { CapacityPorts } from "./ports.ts";
import { promote } from "./promote.ts";

/** The places of one attempt among its tenant's jobs and its model's calls. */
export type Admission = {
  /** The provider key that its calls use. */
  readonly key: string;
  /** Calls that it may have in flight. */
  readonly calls: number;
  /** Gives the place at the model back, telling how the calls ended; answers when the next call may be made. */
  answered(heard: readonly Heard[]): Promise<number>;
  /** Gives back what it still has, and lets in who waits for it. */
  leave(): Promise<void>;
};

/**
 * Takes a place for the next attempt of a job, at its tenant and at its model, or says what it has to wait for.
 * @param calls wanted
 * @param until when the places are free again in any case
 */
export async function admit(
  ports: CapacityPorts,
  job: QueuedJob | RunningJob,
  calls: number,
  until: number,
): Promise<Admission | Held> {
  const fence = job.fence + 1;
  const tenant = tenantPool(job.tenant);
  const model = modelPool(job.model);
  const atTenant = await take(ports, tenant, job, fence, 1, until);
  if ("full" in atTenant) {
    // It may have come with a place there, or to see whether the gates are open: that is the next one's now
    await leave(ports, model, job, fence);
    return heldBy(tenant, atTenant.full, ports.clock.now());
  }
  const atModel = await take(ports, model, job, fence, calls, until).catch(async (error: unknown) => {
    await leave(ports, tenant, job, fence);
    throw error;
  });
  if ("full" in atModel) {
    await leave(ports, tenant, job, fence);
    return heldBy(model, atModel.full, ports.clock.now());
  }
  const { slot } = atModel;
  let isAtModel = true;
  // Others are let in beside what is left to do for this job
  let lettingIn: Promise<unknown> = Promise.resolve();
  return {
    key: slot.key,
    calls: slot.calls,
    async answered(heard) {
      isAtModel = false;
      const pool = await vacate(ports, model, job, fence, heard);
      lettingIn = promote(ports, pool).catch((error: unknown) => error);
      return opensAt(pool, boundsOf(model, ports.limits), ports.clock.now());
    },
    async leave() {
      if (isAtModel) await leave(ports, model, job, fence);
      await leave(ports, tenant, job, fence);
      const error = await lettingIn;
      if (error instanceof Error) throw error;
    },
  };
}

/** Gives back the places that were taken for a job which was over before it was claimed. */
export async function leaveUnclaimed(ports: CapacityPorts, job: Job): Promise<void> {
  await leave(ports, modelPool(job.model), job, job.fence + 1);
  await leave(ports, tenantPool(job.tenant), job, job.fence + 1);
}

function take(
  { pools, limits, clock }: CapacityPorts,
  name: PoolName,
  { id }: QueuedJob | RunningJob,
  fence: number,
  calls: number,
  until: number,
): Promise<{ slot: Slot } | { full: Full }> {
  const bounds = boundsOf(name, limits);
  return changePool(pools, name, (pool) =>
    request(pool, { job: id, fence, calls, at: clock.now(), until, isNext: false }, bounds),
  );
}

async function leave(ports: CapacityPorts, name: PoolName, job: Job, fence: number): Promise<void> {
  await promote(ports, await vacate(ports, name, job, fence, []));
}

/** The pool once the place is given back. */
async function vacate(
  { pools, limits, clock }: CapacityPorts,
  name: PoolName,
  { id }: Job,
  fence: number,
  heard: readonly Heard[],
): Promise<Pool> {
  const bounds = boundsOf(name, limits);
  const { pool } = await changePool(pools, name, (before) => ({
    pool: giveBack(before, { job: id, fence, heard, at: clock.now() }, bounds),
  }));
  return pool;
}
