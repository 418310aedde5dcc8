import { loadHistory } from "../conversation/load-history.ts";
import { loadImage, loadImages } from "./inputs.ts";
import type { RunningJob } from "./job.ts";
import type { HistoryTurn, ImageInput, Jobs, ModelCall, Objects } from "./ports.ts";
import type { JobRequest } from "./request.ts";

/** What goes to the provider beside the prompt. */
export type Material = {
  readonly images: readonly ImageInput[];
  readonly history: readonly HistoryTurn[];
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
  if (!request.continued) return { images, history: [], historyUnused: null };
  const history = await usableHistory(ports, job, request);
  if (typeof history !== "string") return { images, history, historyUnused: null };
  const continued = await loadImage(ports.objects, job, request.continued);
  return continued && { images: [continued, ...images], history: [], historyUnused: history };
}

async function usableHistory(
  ports: { jobs: Jobs; objects: Objects },
  job: RunningJob,
  request: JobRequest,
): Promise<readonly HistoryTurn[] | string> {
  if (request.history.length === 0) return "they are another model's";
  if (job.spent.history_rejected) return "Gemini rejected them";
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
