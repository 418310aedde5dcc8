import { sha256Hex } from "@plantain/core/hash";
import type { Objects } from "@plantain/core/job/ports";
import { memoryObjects } from "@plantain/memory/objects";
import type { Witness } from "./witness/witness.ts";

/** The bucket: what `memoryObjects` means by the port, with a witness at every write. */
export function bucket(witness: Witness, truth: Objects = memoryObjects()): Objects {
  return {
    ...truth,
    async put(key, bytes, about) {
      await truth.put(key, bytes, about);
      witness.stored(key, sha256Hex(Buffer.concat(bytes)));
    },
    async remove(keys) {
      await truth.remove(keys);
      witness.removed(keys);
    },
  };
}
