import { sha256Hex } from "../hash.ts";
import type { JobId } from "../id.ts";
import { examineInput } from "./examine-input.ts";
import { inputKey } from "./keys.ts";
import type { FetchedImage } from "./outcome.ts";
import type { ImageInput, Objects } from "./ports.ts";
import type { InputImage, LinkedImage, ReferenceImage } from "./request.ts";

type Owner = { readonly tenant: string; readonly id: JobId };

/** A picture to send, and what it turned out to be where only its URL was known. */
export type LoadedImage = ImageInput & { readonly fetched?: FetchedImage };

/**
 * A reference image from the job's own prefix. An earlier job's image is copied there by the first attempt that needs
 * it, and what a URL leads to was fetched there before, so that a retry sees the same picture whatever becomes of
 * either. `null`: the image is gone, or never came.
 */
export async function loadImage(
  objects: Objects,
  job: Owner,
  image: ReferenceImage,
): Promise<LoadedImage | null> {
  if ("url" in image) return loadLinked(objects, job, image);
  const { sha256, mediaType, source }: InputImage = image;
  const key = inputKey(job, sha256);
  const own = await objects.get(key);
  if (own) return { mediaType, bytes: own };
  const bytes = source && (await objects.get(source.key));
  if (!bytes) return null;
  await objects.put(key, [bytes], { mediaType, sha256 });
  return { mediaType, bytes };
}

/** Where what a URL led to is kept. */
export function linkedKey(job: Owner, { url }: LinkedImage): string {
  return inputKey(job, sha256Hex(url));
}

async function loadLinked(objects: Objects, job: Owner, image: LinkedImage): Promise<LoadedImage | null> {
  const bytes = await objects.get(linkedKey(job, image));
  if (!bytes) return null;
  const found = examineInput([bytes]);
  if ("unfit" in found) throw new Error(`Cannot read a fetched image of job "${job.id}": ${found.reason}`);
  const { mediaType, width, height } = found;
  const fetched = { ...image, sha256: sha256Hex(bytes), mediaType, bytes: bytes.length, width, height };
  return { mediaType, bytes, fetched };
}

/** All of them, in order; `null` when one is gone. */
export async function loadImages(
  objects: Objects,
  job: Owner,
  images: readonly ReferenceImage[],
): Promise<readonly LoadedImage[] | null> {
  const loaded: LoadedImage[] = [];
  for (const image of images) {
    const input = await loadImage(objects, job, image);
    if (!input) return null;
    loaded.push(input);
  }
  return loaded;
}
