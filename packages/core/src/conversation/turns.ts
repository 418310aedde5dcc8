import type { JobRecord, Jobs } from "../job/ports.ts";

/** One turn of a conversation as it is read back; `index` is the image that the next turn went on from. */
export type Turn = { readonly record: JobRecord; readonly index: number };

/** Longer conversations than a model takes arise where turns were not sent along. */
const mostRead = 100;

/** The conversation up to and with this job, oldest turn first. It begins behind a turn that was deleted. */
export async function turnsOf(jobs: Jobs, last: JobRecord): Promise<readonly Turn[]> {
  const turns: Turn[] = [{ record: last, index: last.result?.images[0]?.index ?? 0 }];
  for (let from = last.request.continueFrom; from && turns.length < mostRead; ) {
    const record = await jobs.read(from.jobId);
    if (!record) break;
    turns.unshift({ record, index: from.index });
    from = record.request.continueFrom;
  }
  return turns;
}
