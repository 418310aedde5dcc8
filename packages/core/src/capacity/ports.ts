import type { Clock } from "../clock.ts";
import type { Policy } from "../job/policy.ts";
import type { JobQueue, Jobs } from "../job/ports.ts";
import type { PoolName } from "./held.ts";
import type { Limits } from "./limits.ts";
import type { Pool } from "./pool.ts";

export type PoolWritten = { readonly written: true } | { readonly written: false; readonly current: Pool };

/** The truth about slots. Reads are consistent. */
export interface Pools {
  /** An empty pool where there is none yet. */
  load(name: PoolName): Promise<Pool>;
  /** Writes `to` if the store still holds the version of `from`; else answers what it holds. */
  write(from: Pool, to: Pool): Promise<PoolWritten>;
}

/** What it takes to give out slots, and to call those who waited for one. */
export type CapacityPorts = {
  readonly pools: Pools;
  readonly limits: Limits;
  readonly jobs: Jobs;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly policy: Policy;
};
