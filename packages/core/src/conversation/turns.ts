import type { JobRecord, Jobs } from "../job/ports.ts";
import type { TurnRef } from "../job/request.ts";

/** One turn of a conversation as it is read back; `index` is the image that the next turn went on from. */
export type Turn = { readonly record: JobRecord; readonly index: number };

/** The conversation up to and with this job, oldest turn first. Turns that were deleted since are left out. */
export async function turnsOf(jobs: Jobs, last: JobRecord): Promise<readonly Turn[]> {
  const refs = pathTo(last);
  const records = await Promise.all(refs.map(({ jobId }) => jobs.read(jobId)));
  const earlier = refs.flatMap(({ index }, at) => {
    const record = records[at];
    return record ? [{ record, index }] : [];
  });
  return [...earlier, { record: last, index: 0 }];
}

function pathTo({ request }: JobRecord): readonly TurnRef[] {
  if (request.history.length > 0) return request.history;
  return request.continueFrom ? [request.continueFrom] : [];
}
