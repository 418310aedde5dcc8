import type { Job } from "./job.ts";
import { inputKey } from "./keys.ts";
import type { ModelCall, Objects } from "./ports.ts";
import type { JobRequest } from "./request.ts";

/**
 * The reference images of a job, from its own prefix. An earlier job's image is copied there by the first attempt that
 * needs it, so that a retry sees the same picture even when that job is gone. `null`: an image is gone before that.
 */
export async function loadInputs(
  objects: Objects,
  job: Job,
  request: JobRequest,
): Promise<ModelCall["images"] | null> {
  const images: { mediaType: JobRequest["images"][number]["mediaType"]; bytes: Uint8Array }[] = [];
  for (const { sha256, mediaType, source } of request.images) {
    const key = inputKey(job, sha256);
    let bytes = await objects.get(key);
    if (!bytes && source) {
      bytes = await objects.get(source.key);
      if (bytes) await objects.put(key, [bytes], { mediaType, sha256 });
    }
    if (!bytes) return null;
    images.push({ mediaType, bytes });
  }
  return images;
}
