import type { ImageSize } from "../model/model.ts";
import type { JobRequest } from "./request.ts";

/** Shares a worker's memory between the jobs of a batch, so that large pictures wait for each other and not for a crash. */
export type MemoryBudget = {
  /** Bytes there are at all. */
  readonly total: number;
  /**
   * Waits, first come first served, until so many bytes are free, and takes them until the answer is called. More than
   * there are at all is cut down to all. Rejects with the signal's reason.
   */
  reserve(bytes: number, signal: AbortSignal): Promise<() => void>;
};

export function memoryBudget(totalBytes: number): MemoryBudget {
  const waiting: { bytes: number; enter: () => void }[] = [];
  let free = totalBytes;
  const admit = () => {
    for (let next = waiting[0]; next && next.bytes <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.bytes;
      next.enter();
    }
  };
  return {
    total: totalBytes,
    reserve(bytes, signal) {
      const share = Math.min(bytes, totalBytes);
      let isHeld = true;
      const release = () => {
        if (isHeld) free += share;
        isHeld = false;
        admit();
      };
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const leave = () => {
          waiting.splice(waiting.indexOf(entry), 1);
          reject(signal.reason);
          admit();
        };
        const entry = {
          bytes: share,
          enter: () => {
            signal.removeEventListener("abort", leave);
            resolve(release);
          },
        };
        signal.addEventListener("abort", leave);
        waiting.push(entry);
        admit();
      });
    },
  };
}

/** Bytes of the largest picture to expect of a size; Google's 4K pictures reach 24 MB. */
const expectedBytes: Readonly<Record<ImageSize, number>> = {
  "512": 1_000_000,
  "1K": 3_000_000,
  "2K": 10_000_000,
  "4K": 25_000_000,
};

/** A picture is held while it arrives and is stored, with some slack of the pieces it comes in. */
const outputFactor = 1.35;
/** A reference image is held as bytes, as base64, within the request's JSON and on its way into the socket. */
const inputFactor = 5;

/** What a file of so many bytes holds in memory while it arrives and is stored, in bytes. */
export function downloadMemory(bytes: number): number {
  return bytes * outputFactor;
}

/**
 * What one call for an image of this job will hold in memory, in bytes.
 * @param fetchedBytes of the reference images that came as URLs
 */
export function expectedMemory(request: JobRequest, size: ImageSize, fetchedBytes: number): number {
  const images = [...request.images, ...(request.continued ? [request.continued] : []), ...request.history];
  const inputs = images.reduce((sum, image) => sum + ("bytes" in image ? image.bytes : 0), fetchedBytes);
  return expectedBytes[size] * outputFactor + inputs * inputFactor;
}
