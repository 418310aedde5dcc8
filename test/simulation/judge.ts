import { mutantNamed } from "./mutants/all.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { type Change, mutatedCopy } from "./mutate.ts";
import type { ProfileName } from "./profiles.ts";
import type { Tally } from "./seeds.ts";
import { runOnThreads } from "./threads.ts";

/** Seeds in which a mutant has to live to count as alive. */
const lifetime = 60;
/** Seeds within which a mutant has to die once what masks it is gone too. */
const unmasked = 50;

/** What became of a mutant; `ok` when it is what its fate says. */
export type Verdict = { readonly isAsFated: boolean; readonly text: string };

/** Runs a mutant until it is killed, or long enough to say that it lives. */
export async function judge({ name, changes, profile, fate }: Mutant): Promise<Verdict> {
  if ("killedWithin" in fate) {
    const killed = killer(await runChanged(changes, profile, fate.killedWithin));
    return { isAsFated: killed !== null, text: killed ?? `lives through ${fate.killedWithin} seeds` };
  }
  const mask = mutantNamed(fate.maskedBy);
  const alone = killer(await runChanged(changes, profile, lifetime));
  const maskAlone = killer(await runChanged(mask.changes, profile, lifetime));
  const both = killer(await runChanged([...changes, ...mask.changes], profile, unmasked));
  const lives = (killed: string | null) => killed ?? `lives through ${lifetime} seeds`;
  return {
    isAsFated: alone === null && maskAlone === null && both !== null,
    text: `${name}: ${lives(alone)}; ${mask.name}: ${lives(maskAlone)}; both: ${both ?? "live"}`,
  };
}

async function runChanged(changes: readonly Change[], profile: ProfileName, count: number): Promise<Tally> {
  const copy = await mutatedCopy(changes);
  try {
    const order = { from: 1, count, profile, trace: false };
    return await runOnThreads(order, { workers: 1, folder: copy.simulation, stopAtFirst: true });
  } finally {
    await copy.remove();
  }
}

function killer({ failing: [first] }: Tally): string | null {
  if (!first) return null;
  const invariants = [...new Set(first.violations.map(({ invariant }) => invariant))];
  return `killed by seed ${first.seed}: ${invariants.join(", ")}`;
}
