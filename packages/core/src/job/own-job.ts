import type { Fact, Job, RunningJob } from "./job.ts";
import type { Policy } from "./policy.ts";
import type { Jobs } from "./ports.ts";
import { type Finish, type Transition, transition } from "./transition.ts";

/** A job as the owner of its attempt has it. */
export type OwnJob = {
  /** As it was claimed. */
  readonly claimed: RunningJob;
  /** Applies a fact to what the last one led to, whoever of the owner's told that: no write is refused for the owner's own. */
  tell(fact: Fact, finish?: Finish): Promise<Transition>;
};

export function ownJob({ jobs, policy }: { jobs: Jobs; policy: Policy }, claimed: RunningJob): OwnJob {
  let latest: Job = claimed;
  return {
    claimed,
    async tell(fact, finish) {
      const told = await transition(jobs, latest, fact, policy, finish);
      if (told.job && told.job.version > latest.version) latest = told.job;
      return told;
    },
  };
}
