import { DomainError } from "../error.ts";
import type { JobRecord, Jobs } from "../job/ports.ts";
import type { HistoryRef, InputImage, ReferenceImage, TurnRef } from "../job/request.ts";
import type { Model } from "../model/model.ts";
import { findImage, type ImageRef } from "./find-image.ts";

/** Turns in one conversation, the new one included. */
export const mostTurns = 32;

/** Gemini takes 100 MB of request, and base64 adds a third. */
export const mostImageBytes = 60_000_000;

/** How a job goes on from an earlier one. */
export type Continuation = {
  readonly turn: TurnRef;
  readonly continued: InputImage;
  /** Oldest first; empty where only the image can be used. */
  readonly history: readonly HistoryRef[];
  readonly warnings: readonly string[];
};

/**
 * The conversation that ends in this turn. Any succeeded job can be gone on from, also one that another job went on
 * from already, so conversations branch freely. Where the turns can't all be sent, the image alone is.
 * @param images what the new turn brings along itself
 * @throws DomainError when there is no such image, or the conversation is at its longest
 */
export async function continueFrom(
  jobs: Jobs,
  tenant: string,
  from: ImageRef,
  model: Model,
  images: readonly ReferenceImage[],
): Promise<Continuation> {
  const found = await findImage(jobs, tenant, from, "continue_from", "continue_from.index");
  const { record, image, usedHistory } = found;
  const turn: TurnRef = { jobId: from.jobId, index: found.index };
  const earlier = usedHistory ? record.request.history : [];
  const history = [...earlier, { ...turn, ...weigh(record, image, usedHistory) }];
  const unusable = whyUnusable(record, model, history, images);
  if (unusable !== null) {
    const warning = `The turns before were not sent: ${unusable}; the image of job "${turn.jobId}" was sent instead`;
    return { turn, continued: image, history: [], warnings: [warning] };
  }
  if (history.length >= mostTurns) {
    throw new DomainError(
      "conversation_too_long",
      `A conversation has at most ${mostTurns} turns; start a new one with the image of job "${turn.jobId}" as a reference image`,
      { field: "continue_from" },
    );
  }
  return { turn, continued: image, history, warnings: [] };
}

function whyUnusable(
  { job }: JobRecord,
  model: Model,
  history: readonly HistoryRef[],
  images: readonly ReferenceImage[],
): string | null {
  if (job.model !== model.id) return `they were made by model "${job.model}", this one by "${model.id}"`;
  const references = history.reduce((sum, turn) => sum + turn.images, images.length);
  if (references > model.maxReferenceImages) {
    return `with them there are ${references} reference images, and "${model.id}" takes ${model.maxReferenceImages}`;
  }
  // What a URL leads to is weighed by the worker that fetches it
  const known = images.flatMap((image) => ("url" in image ? [] : [image]));
  const bytes = [...history, ...known].reduce((sum, each) => sum + each.bytes, 0);
  return bytes > mostImageBytes ? `their images are over ${mostImageBytes / 1_000_000} MB together` : null;
}

/** What a turn adds to a request: its answer, what was asked with it, and the image it went on from if it sent that. */
function weigh(
  { request, result }: JobRecord,
  answer: InputImage,
  usedHistory: boolean,
): { bytes: number; images: number } {
  const asked = usedHistory && request.history.length > 0 ? request.images : askedAlone(request);
  const bytesOf = (image: ReferenceImage) =>
    "url" in image ? (result?.fetched.find(({ url }) => url === image.url)?.bytes ?? 0) : image.bytes;
  return { bytes: asked.reduce((sum, image) => sum + bytesOf(image), answer.bytes), images: asked.length };
}

function askedAlone({ continued, images }: JobRecord["request"]): readonly ReferenceImage[] {
  return continued ? [continued, ...images] : images;
}
