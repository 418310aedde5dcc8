/**
 * Names that the infrastructure and the adapters must agree on: keys and indexes of the two tables.
 * Imports nothing, so that `infra` can read it without pulling in an SDK.
 */
export const tableKey = { partition: "pk", sort: "sk", expiry: "expiresAt" } as const;

/** What the partition key of a pool begins with: workers may reach nothing else of the tenants' table. */
export const poolPrefix = "POOL#";

/** What the partition keys of jobs and of events begin with, in the jobs' table. */
export const jobPrefix = "JOB#";
export const eventPrefix = "EVT#";

/** What the partition keys of endpoints and of what signs for them begin with, in the tenants' table. */
export const endpointsPrefix = "ENDPOINTS#";

export const jobsIndex = {
  /** Every job of a tenant, newest last; `createdKey` is `<createdAt>#<job id>`, so pages never split or repeat. */
  byTenant: { name: "byTenant", partition: "tenant", sort: "createdKey" },
  /** Sparse: present only while something is still to be done for the job or delivery; `dueAt` is epoch milliseconds. */
  byDue: { name: "byDue", partition: "dueShard", sort: "dueAt" },
  /** Sparse: present only while a job is held; `heldKey` is `<pool>#<tenant>`, so that each tenant has a line of its own. */
  byHeld: { name: "byHeld", partition: "heldKey", sort: "createdKey" },
  /** Deliveries alone, newest event last; `endpointKey` is an endpoint's id or `inline#<tenant>`, `eventKey` `<time>#<delivery id>`. */
  byEndpoint: { name: "byEndpoint", partition: "endpointKey", sort: "eventKey" },
} as const;
