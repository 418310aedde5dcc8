import type { PoolName } from "./held.ts";
import type { Pool } from "./pool.ts";
import type { Pools } from "./ports.ts";

/** By store and pool, the end of the latest change that this process has begun. */
const turns = new WeakMap<Pools, Map<PoolName, Promise<unknown>>>();

/**
 * Changes a pool, unless `decide` gives it back as it is: what was decided is written only if nobody was quicker, and
 * whoever was quicker is heard and decided on again. Within a process changes of a pool take turns: two hundred that
 * come at once would otherwise mostly refuse each other.
 * @returns the pool as it is now, with what was decided
 */
export function changePool<D extends { readonly pool: Pool }>(
  pools: Pools,
  name: PoolName,
  decide: (pool: Pool) => D,
): Promise<D> {
  const ofStore = turns.get(pools) ?? new Map<PoolName, Promise<unknown>>();
  turns.set(pools, ofStore);
  const before = ofStore.get(name) ?? Promise.resolve();
  const change = before.then(() => changeNow(pools, name, decide));
  const over = change.then(
    () => undefined,
    () => undefined, // whoever asked hears of it; the next has his own turn
  );
  ofStore.set(name, over);
  void over.then(() => {
    if (ofStore.get(name) === over) ofStore.delete(name);
  });
  return change;
}

async function changeNow<D extends { readonly pool: Pool }>(
  pools: Pools,
  name: PoolName,
  decide: (pool: Pool) => D,
): Promise<D> {
  let from = await pools.load(name);
  for (;;) {
    const decided = decide(from);
    if (decided.pool === from) return decided;
    const to = { ...decided.pool, version: from.version + 1 };
    const written = await pools.write(from, to);
    if (written.written) return { ...decided, pool: to };
    from = written.current;
  }
}
