import { DomainError } from "../error.ts";
import type { JobRecord, Jobs } from "../job/ports.ts";
import type { InputImage, TurnRef } from "../job/request.ts";
import { findImage } from "./find-image.ts";

/** Turns in one conversation, the new one included. */
export const mostTurns = 32;

/** How a job goes on from an earlier one. */
export type Continuation = {
  readonly continued: InputImage;
  /** Oldest first; empty where only the image can be used. */
  readonly history: readonly TurnRef[];
  readonly warnings: readonly string[];
};

/**
 * The conversation that ends in this turn. Any succeeded job can be gone on from, also one that another job went on
 * from already, so conversations branch freely. Another model can't read the turns, so it gets only the image.
 * @throws DomainError when there is no such image, or the conversation is at its longest
 */
export async function continueFrom(
  jobs: Jobs,
  tenant: string,
  turn: TurnRef,
  model: string,
): Promise<Continuation> {
  const { record, image } = await findImage(jobs, tenant, turn, "continue_from", "continue_from.index");
  const history = [...earlierTurns(record), turn];
  if (history.length >= mostTurns) {
    throw new DomainError(
      "conversation_too_long",
      `A conversation has at most ${mostTurns} turns; start a new one with the image of job "${turn.jobId}" as a reference image`,
      { field: "continue_from" },
    );
  }
  if (record.job.model === model) return { continued: image, history, warnings: [] };
  const warning = `Job "${turn.jobId}" was made by model "${record.job.model}", so "${model}" was given its image and not the turns before`;
  return { continued: image, history: [], warnings: [warning] };
}

/** The turns before this one that it really went on from. */
function earlierTurns({ request, result }: JobRecord): readonly TurnRef[] {
  return result?.usedHistory === false ? [] : request.history;
}
