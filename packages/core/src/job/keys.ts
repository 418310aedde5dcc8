import type { JobId } from "../id.ts";

type Owned = { readonly tenant: string; readonly id: JobId };

/*
 * Where a job's objects are. Every key is written once. The fence in outcome and image keys keeps a worker that lost
 * its lease from touching what its successor stores.
 */

/** Everything of a job but its images. */
export function metaPrefix(job: Owned): string {
  return `meta/${job.tenant}/${job.id}/`;
}

export function inputKey(job: Owned, sha256: string): string {
  return `${metaPrefix(job)}in/${sha256}`;
}

export function outcomeKey(job: Owned, fence: number, index: number): string {
  return `${metaPrefix(job)}${fence}/${index}.json`;
}

/** A picture of the answer that isn't its result: earlier ones, kept because a later turn has to send them back. */
export function partKey(job: Owned, fence: number, index: number, part: number): string {
  return `${metaPrefix(job)}${fence}/${index}.${part}`;
}

export function imagePrefix(job: Owned): string {
  return `out/${job.tenant}/${job.id}/`;
}

export function imageKey(job: Owned, fence: number, index: number): string {
  return `${imagePrefix(job)}${fence}/${index}`;
}
