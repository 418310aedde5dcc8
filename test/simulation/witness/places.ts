import { boundsOf, type Limits } from "@plantain/core/capacity/limits";
import type { Pool } from "@plantain/core/capacity/pool";
import type { JobId } from "@plantain/core/id";
import { samplePolicy } from "@plantain/memory/samples";
import type { Witness } from "./witness.ts";

/** I10: there are never more places taken than there are. */
export function overfull(pool: Pool, limits: Limits): string[] {
  const { keys, ceiling } = boundsOf(pool.name, limits);
  const slots = Object.values(pool.slots).flatMap((slot) => slot ?? []);
  return keys.flatMap((key) => {
    const calls = slots.filter((slot) => slot.key === key).reduce((sum, slot) => sum + slot.calls, 0);
    return calls > ceiling ? [`${pool.name} gave out ${calls} places of ${ceiling} under "${key}"`] : [];
  });
}

/** What may lie between a look at a gate and the claim. */
const lookMs = 4_000;

/** Since when each gate has been closed without a break, as its pool tells; by pool and key. */
export type Closures = Map<string, number>;

/** Notes what a write of a pool closes and opens: a closure may be written long after the answer that it follows from. */
export function noteClosures(closures: Closures, before: Pool | undefined, pool: Pool, now: number): void {
  for (const [key, gate] of Object.entries(pool.gates)) {
    if ((before?.gates[key]?.closedUntil ?? 0) > now) continue;
    closures.set(`${pool.name} ${key}`, gate.closedUntil > now ? now : Number.POSITIVE_INFINITY);
  }
}

/** Whether every gate of a model had been closed for a while at `at`, and was to be for a while more. */
export function wasClosed(
  { name, gates }: Pool,
  limits: Limits,
  closures: Closures,
  at: number,
  skewMs: number,
): boolean {
  const graceMs = lookMs + 2 * skewMs;
  return boundsOf(name, limits).keys.every((key) => {
    const since = closures.get(`${name} ${key}`) ?? Number.POSITIVE_INFINITY;
    return since < at - graceMs && (gates[key]?.closedUntil ?? 0) > at + graceMs;
  });
}

/** The longest that a place is taken without word from its owner: until it is claimed, and two calls; and what clocks differ. */
const longestMs = samplePolicy.arrivalMs + 2 * samplePolicy.callMs + 20_000;

/** I10 at rest: no place is taken for longer than its owner can live, and in a calm world none at all. */
export function leftBehind(witness: Witness, now: number, isCalm: boolean): void {
  for (const { name, slots } of witness.pools.values()) {
    for (const [id, slot] of Object.entries(slots)) {
      if (!slot) continue;
      if (slot.until > now + longestMs)
        witness.violate("I10", `${name} keeps a place for ${id} until ${slot.until - now} ms from now`);
      // A canceled job's place is given back when its message comes, or when it is deleted
      const seen = witness.jobs.get(id as JobId);
      if (isCalm && (seen?.job.status !== "canceled" || seen.deleted))
        witness.violate("I10", `${name} keeps a place for ${id}, which is over`);
    }
  }
}
