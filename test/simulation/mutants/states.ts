import { job, type Mutant, memory } from "./mutant.ts";

/** Guards of the states that a job goes through. */
export const stateMutants: readonly Mutant[] = [
  {
    name: "stale-fence",
    guard: "only the owner of the latest fence moves a job",
    changes: [{ file: `${job}advance.ts`, find: "fact.fence !== job.fence", replace: "fact.fence < 0" }],
    profile: "zombies",
    fate: { killedWithin: 100 },
  },
  {
    name: "no-status-check",
    guard: "a job that is over stays over",
    changes: [
      { file: `${job}advance.ts`, find: 'if (isFinished(job)) return { refused: "over" };', replace: "" },
    ],
    profile: "default",
    fate: { killedWithin: 50 },
  },
  {
    name: "cancel-overwrites",
    guard: "a job that is over can't be canceled",
    changes: [
      {
        file: `${job}advance.ts`,
        find: 'if (isFinished(job)) return { refused: "over" };',
        replace: 'if (isFinished(job) && fact.type !== "canceled") return { refused: "over" };',
      },
    ],
    profile: "default",
    fate: { killedWithin: 50 },
  },
  {
    name: "no-version-check",
    guard: "a write follows the version that it was decided on",
    changes: [
      {
        file: `${memory}jobs.ts`,
        find: "found.job.version !== from.version",
        replace: "found.job.version < 0",
      },
    ],
    profile: "default",
    fate: { killedWithin: 50 },
  },
  {
    name: "lease-ignored",
    guard: "a leased job is nobody else's",
    changes: [
      {
        file: `${job}advance.ts`,
        find: 'if (isLeased(job, fact.at)) return { refused: "leased" };\n      if (expired) return { refused: "deadline_passed" };\n      return claim(',
        replace: 'if (expired) return { refused: "deadline_passed" };\n      return claim(',
      },
    ],
    profile: "default",
    fate: { killedWithin: 50 },
  },
  {
    name: "claim-too-early",
    guard: "a job that has to wait isn't claimed before",
    changes: [
      {
        file: `${job}advance.ts`,
        find: 'return job.runAfter > at ? { refused: "not_due" } : job;',
        replace: "return job;",
      },
    ],
    profile: "echoes",
    fate: { killedWithin: 100 },
  },
  {
    name: "endless-retries",
    guard: "retries have a budget",
    changes: [{ file: `${job}failure.ts`, find: "spent >= retries;", replace: "spent < 0;" }],
    profile: "provider",
    fate: { killedWithin: 50 },
  },
  {
    name: "endless-crashes",
    guard: "a job that brings down its workers ends",
    changes: [
      { file: `${job}advance.ts`, find: "crashed.crashes > crashBudget ?", replace: "crashed.crashes < 0 ?" },
    ],
    profile: "heavy",
    fate: { killedWithin: 50 },
  },
  {
    name: "deadline-ignored",
    guard: "nothing is begun after a job's deadline",
    changes: [
      {
        file: `${job}advance.ts`,
        find: "const expired = job.deadlineAt <= fact.at;",
        replace: "const expired = false;",
      },
    ],
    profile: "default",
    fate: { killedWithin: 100 },
  },
  {
    name: "no-fence-no-status",
    guard: "neither the fence nor the status lets a late worker write over an end",
    changes: [
      { file: `${job}advance.ts`, find: "fact.fence !== job.fence", replace: "fact.fence < 0" },
      { file: `${job}advance.ts`, find: 'if (isFinished(job)) return { refused: "over" };', replace: "" },
    ],
    profile: "zombies",
    fate: { killedWithin: 50 },
  },
  {
    name: "paying-not-noted",
    guard: "a job says which calls may be under way",
    changes: [{ file: `${job}advance.ts`, find: "paying: fact.paying", replace: "paying: []" }],
    profile: "default",
    fate: { killedWithin: 50 },
  },
];
