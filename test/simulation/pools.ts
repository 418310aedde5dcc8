import type { Limits } from "@plantain/core/capacity/limits";
import type { Pools } from "@plantain/core/capacity/ports";
import { memoryPools } from "@plantain/memory/pools";
import type { Witness } from "./witness/witness.ts";

/** The pools: what `memoryPools` means by the port, with a witness at every write. */
export type SimulatedPools = { readonly served: Pools; readonly truth: Pools; readonly limits: Limits };

export function pools(witness: Witness, limits: Limits, truth: Pools = memoryPools()): SimulatedPools {
  return {
    truth,
    limits,
    served: {
      ...truth,
      async write(from, to) {
        const written = await truth.write(from, to);
        if (written.written) witness.pooled(to);
        return written;
      },
    },
  };
}
