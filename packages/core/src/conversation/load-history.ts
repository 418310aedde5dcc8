import { loadImages } from "../job/inputs.ts";
import { outcomeKey } from "../job/keys.ts";
import { Outcome, type StoredPart } from "../job/outcome.ts";
import type { HistoryTurn, Jobs, Objects, ReplyPart } from "../job/ports.ts";
import type { TurnRef } from "../job/request.ts";

/** Why the turns before can't be sent along. */
export type Unusable = { readonly unusable: string };

/**
 * The turns of a conversation with everything they consist of, from where each is stored. One that is gone makes the
 * whole history unusable: half a conversation would mean something else.
 */
export async function loadHistory(
  { jobs, objects }: { jobs: Jobs; objects: Objects },
  turns: readonly TurnRef[],
): Promise<readonly HistoryTurn[] | Unusable> {
  const history: HistoryTurn[] = [];
  for (const { jobId, index } of turns) {
    const turn = await loadTurn(jobs, objects, { jobId, index });
    if (!turn) return { unusable: `turn "${jobId}" is no longer there` };
    history.push(turn);
  }
  return history;
}

async function loadTurn(
  jobs: Jobs,
  objects: Objects,
  { jobId, index }: TurnRef,
): Promise<HistoryTurn | null> {
  const record = await jobs.read(jobId);
  const image = record?.result?.images.find((each) => each.index === index);
  if (!record || !image) return null;
  const { job, request } = record;
  const stored = await objects.get(outcomeKey(job, image.fence, index));
  if (!stored) return null;
  const outcome = Outcome.parse(JSON.parse(new TextDecoder().decode(stored)));
  if (outcome.type !== "image") return null;

  // A turn that was sent without its own history began with the image it went on from
  const asked =
    outcome.historyUnused === null || !request.continued
      ? request.images
      : [request.continued, ...request.images];
  const images = await loadImages(objects, job, asked);
  const reply = await Promise.all(outcome.parts.map((part) => loadPart(objects, part)));
  const whole = reply.filter((part) => part !== null);
  if (!images || whole.length < reply.length) return null;
  return { prompt: request.prompt, images, reply: whole };
}

async function loadPart(objects: Objects, part: StoredPart): Promise<ReplyPart | null> {
  if (part.type === "text") return part;
  const bytes = await objects.get(part.key);
  return bytes && { type: "image", mediaType: part.mediaType, bytes, signature: part.signature };
}
