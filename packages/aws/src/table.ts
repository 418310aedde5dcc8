/**
 * Names that the infrastructure and the adapters must agree on: keys and indexes of the two tables.
 * Imports nothing, so that `infra` can read it without pulling in an SDK.
 */
export const tableKey = { partition: "pk", sort: "sk", expiry: "expiresAt" } as const;

/** What the partition key of a pool begins with: workers may reach nothing else of the tenants' table. */
export const poolPrefix = "POOL#";

export const jobsIndex = {
  /** Every job of a tenant, newest last; `createdKey` is `<createdAt>#<job id>`, so pages never split or repeat. */
  byTenant: { name: "byTenant", partition: "tenant", sort: "createdKey" },
  /** Sparse: present only while something is still to be done for the job; `dueAt` is epoch milliseconds. */
  byDue: { name: "byDue", partition: "dueShard", sort: "dueAt" },
  /** Sparse: present only while a job is held; `heldKey` is `<pool>#<tenant>`, so that each tenant has a line of its own. */
  byHeld: { name: "byHeld", partition: "heldKey", sort: "createdKey" },
} as const;
