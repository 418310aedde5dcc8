import type { JobId } from "../id.ts";
import { inputKey } from "./keys.ts";
import type { ImageInput, Objects } from "./ports.ts";
import type { InputImage } from "./request.ts";

/**
 * A reference image from the job's own prefix. An earlier job's image is copied there by the first attempt that needs
 * it, so that a retry sees the same picture even when that job is gone. `null`: the image was gone before that.
 */
export async function loadImage(
  objects: Objects,
  job: { readonly tenant: string; readonly id: JobId },
  { sha256, mediaType, source }: InputImage,
): Promise<ImageInput | null> {
  const key = inputKey(job, sha256);
  const own = await objects.get(key);
  if (own) return { mediaType, bytes: own };
  const bytes = source && (await objects.get(source.key));
  if (!bytes) return null;
  await objects.put(key, [bytes], { mediaType, sha256 });
  return { mediaType, bytes };
}

/** All of them, in order; `null` when one is gone. */
export async function loadImages(
  objects: Objects,
  job: { readonly tenant: string; readonly id: JobId },
  images: readonly InputImage[],
): Promise<readonly ImageInput[] | null> {
  const loaded: ImageInput[] = [];
  for (const image of images) {
    const input = await loadImage(objects, job, image);
    if (!input) return null;
    loaded.push(input);
  }
  return loaded;
}
