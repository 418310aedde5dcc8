import type { ApiKey } from "@plantain/core/tenant/key";
import type { Keys } from "@plantain/core/tenant/ports";

/** What the `Keys` port means, in memory. For tests. */
export function memoryKeys(): Keys {
  const keys = new Map<string, ApiKey>();
  return {
    async find(sha256) {
      return keys.get(sha256) ?? null;
    },
    async put(key) {
      if (keys.has(key.sha256)) throw new Error(`Cannot store key "${key.id}": it is there already`);
      keys.set(key.sha256, key);
    },
  };
}
