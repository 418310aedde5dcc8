import type { Clock } from "../clock.ts";
import type { JobId } from "../id.ts";
import { imagePrefix, metaPrefix } from "./keys.ts";
import type { Jobs, Objects } from "./ports.ts";
import { beginPurge, endPurge } from "./tombstone.ts";

/**
 * Erases what there is of a deleted job, where that is due: what it had, and what a worker that didn't know of its end
 * has stored since.
 * @returns whether it did
 */
export async function purge(
  { jobs, objects, clock }: { jobs: Jobs; objects: Objects; clock: Clock },
  id: JobId,
): Promise<boolean> {
  const tombstone = await jobs.loadTombstone(id);
  const at = clock.now();
  if (!tombstone || tombstone.dueAt > at) return false;
  const begun = beginPurge(tombstone, at);
  if (!(await jobs.writeTombstone(tombstone, begun))) return false;
  for (const prefix of [imagePrefix(tombstone), metaPrefix(tombstone)])
    await objects.remove(await objects.list(prefix));
  await jobs.eraseRecords(id);
  await jobs.writeTombstone(begun, endPurge(begun));
  return true;
}
