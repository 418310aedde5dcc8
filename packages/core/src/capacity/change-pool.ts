import type { PoolName } from "./held.ts";
import type { Pool } from "./pool.ts";
import type { Pools } from "./ports.ts";

/**
 * Changes a pool, unless `decide` gives it back as it is: what was decided is written only if nobody was quicker, and
 * whoever was quicker is heard and decided on again.
 * @returns the pool as it is now, with what was decided
 */
export async function changePool<D extends { readonly pool: Pool }>(
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
