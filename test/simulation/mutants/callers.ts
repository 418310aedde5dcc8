import { job, type Mutant, memory } from "./mutant.ts";

/** Guards of what callers may do, and of what they were promised. */
export const callerMutants: readonly Mutant[] = [
  {
    name: "key-not-held",
    guard: "one idempotency key makes one job, however many ask at once",
    changes: [
      {
        file: `${memory}jobs.ts`,
        find: "if (holder && holder.expiresAt > at)",
        replace: "if (holder && holder.expiresAt < 0)",
      },
    ],
    profile: "default",
    fate: { killedWithin: 100 },
  },
  {
    name: "other-body-accepted",
    guard: "a key belongs to one request",
    changes: [
      { file: `${job}submit.ts`, find: "if (fingerprint === given)", replace: 'if (fingerprint !== "")' },
    ],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "anybody-cancels",
    guard: "a tenant cancels only its own jobs",
    changes: [{ file: `${job}cancel.ts`, find: "if (!job || job.tenant !== tenant)", replace: "if (!job)" }],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "anybody-reads",
    guard: "a tenant reads only its own jobs",
    changes: [
      {
        file: "functions/api/read-job.ts",
        find: "if (!record || record.job.tenant !== tenant)",
        replace: "if (!record)",
      },
    ],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "anybody-uses-pictures",
    guard: "a tenant builds only on its own pictures",
    changes: [
      {
        file: "packages/core/src/conversation/find-image.ts",
        find: "if (!record || record.job.tenant !== tenant)",
        replace: "if (!record)",
      },
    ],
    profile: "none",
    fate: { killedWithin: 100 },
  },
];
