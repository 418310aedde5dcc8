import { mostImageBytes } from "../conversation/continue.ts";
import { loadHistory } from "../conversation/load-history.ts";
import { type LoadedImage, loadImage, loadImages } from "./inputs.ts";
import type { RunningJob } from "./job.ts";
import type { FetchedImage } from "./outcome.ts";
import type { HistoryTurn, ImageInput, Jobs, ModelCall, Objects } from "./ports.ts";
import type { JobRequest } from "./request.ts";

/** What goes to the provider beside the prompt. */
export type Material = {
  readonly images: readonly ImageInput[];
  readonly history: readonly HistoryTurn[];
  /** What the URLs among the images led to. */
  readonly fetched: readonly FetchedImage[];
  /** Why the turns before are not among it although there are some; then the image of the last one leads. */
  readonly historyUnused: string | null;
};

/** Reads a job's reference images and the turns before it. `null`: an image is gone. */
export async function gather(
  ports: { jobs: Jobs; objects: Objects },
  job: RunningJob,
  request: JobRequest,
): Promise<Material | null> {
  const images = await loadImages(ports.objects, job, request.images);
  if (!images) return null;
  const fetched = images.flatMap((image) => image.fetched ?? []);
  if (!request.continued) return { images, history: [], fetched, historyUnused: null };
  const history = await usableHistory(ports, job, request, images);
  if (typeof history !== "string") return { images, history, fetched, historyUnused: null };
  const continued = await loadImage(ports.objects, job, request.continued);
  return continued && { images: [continued, ...images], history: [], fetched, historyUnused: history };
}

async function usableHistory(
  ports: { jobs: Jobs; objects: Objects },
  job: RunningJob,
  request: JobRequest,
  images: readonly LoadedImage[],
): Promise<readonly HistoryTurn[] | string> {
  if (request.history.length === 0) return "they are another model's";
  if (job.spent.history_rejected) return "Gemini rejected them";
  // Only now is it known what images by URL weigh
  const bytes = request.history.reduce((sum, turn) => sum + turn.bytes, 0);
  if (images.reduce((sum, image) => sum + image.bytes.length, bytes) > mostImageBytes)
    return `their images are over ${mostImageBytes / 1_000_000} MB together`;
  const history = await loadHistory(ports, request.history);
  return "unusable" in history ? history.unusable : history;
}

/**
 * The call for one image index.
 * @param key name of the provider key to use
 */
export function callFor(
  job: RunningJob,
  key: string,
  request: JobRequest,
  material: Material,
  index: number,
): ModelCall {
  const { prompt, aspectRatio, imageSize, output, thinking, grounding, safety, seed } = request;
  const { images, history } = material;
  return {
    model: job.model,
    key,
    history,
    prompt,
    images,
    aspectRatio,
    imageSize,
    output,
    thinking,
    grounding,
    safety,
    seed: seed === null ? null : seed + index,
  };
}
