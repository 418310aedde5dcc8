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
      {
        file: `${job}submit.ts`,
        find: "if (fingerprint === fingerprintOf(submission, defaultModel))",
        replace: 'if (fingerprint !== "")',
      },
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
    name: "anybody-deletes",
    guard: "a tenant deletes only its own jobs",
    changes: [{ file: `${job}delete-job.ts`, find: "if (there?.tenant !== tenant)", replace: "if (!there)" }],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "unfinished-deleted",
    guard: "only a job that is over can be deleted",
    changes: [{ file: `${job}delete-job.ts`, find: "if (!isFinished(job))", replace: "if (!isFinished)" }],
    profile: "haunted",
    fate: { killedWithin: 50 },
  },
  {
    name: "purged-once",
    guard: "what a worker stores that didn't hear of the deletion is erased too",
    changes: [
      {
        file: `${job}tombstone.ts`,
        find: "[0, 20 * minute, 7 * 24 * 60 * minute]",
        replace: "[0, 7 * 24 * 60 * minute]",
      },
    ],
    profile: "haunted",
    fate: { killedWithin: 100 },
  },
  {
    name: "purge-not-tried-again",
    guard: "a purge that fails is made again",
    changes: [
      {
        file: `${job}tombstone.ts`,
        find: "againAfterMs = 5 * minute",
        replace: "againAfterMs = 5_000 * minute",
      },
    ],
    profile: "haunted",
    fate: { killedWithin: 100 },
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
