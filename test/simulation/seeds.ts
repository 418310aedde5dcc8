import type { Profile } from "./profile.ts";
import type { ProfileName } from "./profiles.ts";
import { type Outcome, simulate } from "./simulate.ts";
import type { Violation } from "./witness/witness.ts";

/** Seeds to run: `count` of them, from `from`. */
export type Order = {
  readonly from: number;
  readonly count: number;
  readonly profile: ProfileName | Profile;
  /** Whether to tell every step. */
  readonly trace: boolean;
};

/** What a number of seeds came to, added up. */
export type Tally = {
  readonly seeds: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly jobs: number;
  readonly succeeded: number;
  readonly calls: number;
  readonly billed: number;
  readonly toTheEnd: readonly number[];
  readonly hashes: readonly string[];
  readonly failing: readonly { readonly seed: number; readonly violations: readonly Violation[] }[];
  readonly injected: ReadonlyMap<string, number>;
};

export async function runSeeds({ from, count, profile, trace }: Order): Promise<Tally> {
  const outcomes: Outcome[] = [];
  for (let seed = from; seed < from + count; seed += 1)
    outcomes.push(await simulate(seed, profile, trace ? console.log : null));
  return addUp(outcomes.map(tallyOf));
}

function tallyOf({ seed, violations, hash, ...outcome }: Outcome): Tally {
  return {
    ...outcome,
    seeds: 1,
    hashes: [hash],
    failing: violations.length === 0 ? [] : [{ seed, violations }],
  };
}

export function addUp(tallies: readonly Tally[]): Tally {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const injected = new Map<string, number>();
  for (const tally of tallies)
    for (const [name, times] of tally.injected) injected.set(name, (injected.get(name) ?? 0) + times);
  return {
    seeds: sum(({ seeds }) => seeds),
    events: sum(({ events }) => events),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    jobs: sum(({ jobs }) => jobs),
    succeeded: sum(({ succeeded }) => succeeded),
    calls: sum(({ calls }) => calls),
    billed: sum(({ billed }) => billed),
    toTheEnd: tallies.flatMap(({ toTheEnd }) => toTheEnd),
    hashes: tallies.flatMap(({ hashes }) => hashes),
    failing: tallies.flatMap(({ failing }) => failing).sort((a, b) => a.seed - b.seed),
    injected,
  };
}

/** The value below which this share of the values is; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
