import type { PoolName } from "@plantain/core/capacity/held";
import { emptyPool, type Pool } from "@plantain/core/capacity/pool";
import type { Pools } from "@plantain/core/capacity/ports";

/** What the `Pools` port means, in memory. For tests. */
export function memoryPools(): Pools {
  const pools = new Map<PoolName, Pool>();
  const now = (name: PoolName) => pools.get(name) ?? emptyPool(name);
  return {
    async load(name) {
      return structuredClone(now(name));
    },
    async write(from, to) {
      const current = now(to.name);
      if (current.version !== from.version) return { written: false, current: structuredClone(current) };
      pools.set(to.name, structuredClone(to));
      return { written: true };
    },
  };
}
