import { createHash } from "node:crypto";
import type { Objects } from "@plantain/core/job/ports";

/** What the `Objects` port means, in memory. For tests. */
export function memoryObjects(): Objects {
  const objects = new Map<string, Uint8Array>();
  return {
    async put(key, bytes, { sha256 }) {
      const whole = Buffer.concat(bytes);
      const actual = createHash("sha256").update(whole).digest("hex");
      if (actual !== sha256)
        throw new Error(`Cannot store object "${key}": its bytes don't have the hash given`);
      const there = objects.get(key);
      if (!there) objects.set(key, whole);
      else if (!whole.equals(there))
        throw new Error(`Cannot store object "${key}": other bytes are there already`);
    },
    async get(key) {
      const bytes = objects.get(key);
      return bytes ? new Uint8Array(bytes) : null;
    },
    async size(key) {
      return objects.get(key)?.length ?? null;
    },
    async list(prefix) {
      return [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    },
    async remove(keys) {
      for (const key of keys) objects.delete(key);
    },
  };
}
