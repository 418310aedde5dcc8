import type { Profile } from "./profile.ts";
import { type ProfileName, profiles } from "./profiles.ts";
import { examine } from "./witness/at-rest.ts";
import { calmly } from "./witness/calm.ts";
import { leftBehind } from "./witness/places.ts";
import type { Violation } from "./witness/witness.ts";
import { start, type World, world } from "./world.ts";

/** What one seed came to. */
export type Outcome = {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly events: number;
  readonly virtualMs: number;
  /** Fingerprint of everything that happened. */
  readonly hash: string;
  readonly jobs: number;
  readonly succeeded: number;
  /** Milliseconds from creation to the end, of each job that nobody canceled. */
  readonly toTheEnd: readonly number[];
  readonly calls: number;
  readonly billed: number;
  /** How often each fault hit each effect, as `label fault`. */
  readonly injected: ReadonlyMap<string, number>;
};

/** Runs one seed of the whole system to its end, or to the first step at which something is wrong. */
export async function simulate(
  seed: number,
  profile: ProfileName | Profile,
  print: ((line: string) => void) | null = null,
): Promise<Outcome> {
  const simulated = world(seed, typeof profile === "string" ? profiles[profile] : profile, print);
  const { timeline, witness } = simulated;
  let events = 0;
  while (witness.violations.length === 0 && timeline.step()) {
    events += 1;
    await drained();
    if (simulated.isAtRest()) break;
    if (timeline.now > start + simulated.longestMs) witness.violate("I1", "The system does not come to rest");
  }
  if (witness.violations.length === 0) await examine(simulated);
  if (witness.violations.length === 0 && profile === "none") calmly(witness);
  if (witness.violations.length === 0) leftBehind(witness, timeline.now, profile === "none");
  return outcomeOf(seed, events, simulated);
}

/** Lets everything that one event has set going run as far as it can. */
export function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function outcomeOf(seed: number, events: number, { timeline, trace, faults, witness }: World): Outcome {
  const seen = [...witness.jobs.values()];
  return {
    seed,
    violations: witness.violations,
    events,
    virtualMs: timeline.now - start,
    hash: trace.hash,
    jobs: seen.length,
    succeeded: seen.filter(({ job }) => job.status === "succeeded").length,
    toTheEnd: seen.flatMap(({ job, createdAt, endedAt }) =>
      endedAt === null || job.status === "canceled" ? [] : [endedAt - createdAt],
    ),
    calls: witness.ledger.length,
    billed: witness.ledger.filter(({ billed }) => billed).length,
    injected: faults.injected,
  };
}
