import type { PoolName } from "./held.ts";
import type { Bounds } from "./pool.ts";

/** How much may be in flight in a deployment. */
export type Limits = {
  /** Jobs of one tenant. */
  readonly jobsPerTenant: number;
  /** Calls to one model under one provider key: the most that its gate ever opens to. */
  readonly callsPerModel: number;
  /** A model that refuses everybody is asked again at least this often. */
  readonly longestClosureMs: number;
  /** Names of the provider keys that share the load; at least one. */
  readonly providerKeys: readonly string[];
};

/** A tenant's pool has no gates to choose from. */
const onlyKey = "jobs";

export function boundsOf(name: PoolName, limits: Limits): Bounds {
  const { jobsPerTenant, callsPerModel, longestClosureMs, providerKeys } = limits;
  return name.startsWith("tenant:")
    ? { keys: [onlyKey], ceiling: jobsPerTenant, longestClosureMs, isAdaptive: false }
    : { keys: providerKeys, ceiling: callsPerModel, longestClosureMs, isAdaptive: true };
}
