import type { Clock, Random } from "../clock.ts";
import { mostImageBytes } from "../conversation/continue.ts";
import { sha256OfPieces } from "../hash.ts";
import type { MediaType } from "../image/inspect.ts";
import type { Model } from "../model/model.ts";
import { examineInput } from "./examine-input.ts";
import type { Failure, FailureCode } from "./failure.ts";
import { linkedKey } from "./inputs.ts";
import { insist } from "./insist.ts";
import type { RunningJob } from "./job.ts";
import { downloadMemory, type MemoryBudget } from "./memory-budget.ts";
import type { Bytes, Download, Downloader, Objects } from "./ports.ts";
import type { JobRequest, LinkedImage } from "./request.ts";

type Ports = {
  readonly objects: Objects;
  readonly downloader: Downloader;
  readonly memory: MemoryBudget;
  readonly clock: Clock;
  readonly random: Random;
};

/** Of one file, in bytes. */
export const mostDownloadBytes = 20_000_000;
/** For the name, the connection and the whole file, in milliseconds. */
const downloadMs = 20_000;
/** Of one job: memory for downloads is shared with other tenants' jobs. */
const downloadsAtOnce = 3;

/** What the URLs of a job led to: the bytes they come to together, or why one of them can't be used. */
export type FetchedInputs =
  | { readonly bytes: number }
  | { readonly failures: readonly [Failure, ...Failure[]] };

/**
 * Fetches the reference images that came as URLs and aren't there yet, each once for the job: an attempt that finds one
 * under the job's own prefix doesn't ask for it again. Once one has failed no more are begun, and those that are under
 * way are waited for: what has come is kept for the next attempt.
 * @throws the reason of `signal` when it aborts
 */
export async function fetchInputs(
  ports: Ports,
  job: RunningJob,
  model: Model,
  request: JobRequest,
  signal: AbortSignal,
): Promise<FetchedInputs> {
  const linked = request.images.flatMap((image) => ("url" in image ? [image] : []));
  const urls = [...new Set(linked.map(({ url }) => url))];
  const sizes = new Map<string, number>();
  const failures: Failure[] = [];
  const waiting = urls.values();
  const fetchInTurn = async () => {
    for (const url of waiting) {
      const fetched = await fetchInput(ports, job, model, { url }, indexOf(request, url), signal);
      if (typeof fetched === "number") sizes.set(url, fetched);
      else failures.push(fetched);
      if (failures.length > 0) return;
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: downloadsAtOnce }, fetchInTurn));
  for (const result of settled) if (result.status === "rejected") throw result.reason;
  const [failure, ...others] = failures;
  if (failure) return { failures: [failure, ...others] };
  const bytes = linked.reduce((sum, { url }) => sum + (sizes.get(url) ?? 0), 0);
  const all = bytes + knownBytes(request);
  return linked.length > 0 && all > mostImageBytes ? { failures: [tooHeavy(all)] } : { bytes };
}

/** Where a URL stands among the images of a request, first of all. */
function indexOf({ images }: JobRequest, url: string): number {
  return images.findIndex((image) => "url" in image && image.url === url);
}

/** @returns the bytes it has, or why it can't be used */
async function fetchInput(
  ports: Ports,
  job: RunningJob,
  model: Model,
  image: LinkedImage,
  index: number,
  signal: AbortSignal,
): Promise<number | Failure> {
  const { objects, downloader, memory } = ports;
  const key = linkedKey(job, image);
  const there = await insist(ports, signal, () => objects.size(key));
  if (there !== null) return there;
  const freeMemory = await memory.reserve(downloadMemory(mostDownloadBytes), signal);
  try {
    const limits = { maxBytes: mostDownloadBytes, timeoutMs: downloadMs };
    const file = await downloader.download({ url: image.url, ...limits, signal });
    if (file.type !== "downloaded") return failureOf(index, file);
    const found = examineInput(file.bytes);
    if ("unfit" in found) {
      return failed(found.unfit === "too_large" ? "too_large" : "input_unavailable", index, found.reason);
    }
    const { mediaType } = found;
    if (!model.inputTypes.includes(mediaType)) {
      return failed("input_unavailable", index, `it is ${mediaType}, which model "${model.id}" doesn't take`);
    }
    return await insist(ports, signal, () => keep(objects, key, file.bytes, mediaType));
  } finally {
    freeMemory();
  }
}

/** Another attempt may have kept other bytes meanwhile: those count, for it may have sent them. */
async function keep(objects: Objects, key: string, bytes: Bytes, mediaType: MediaType): Promise<number> {
  try {
    await objects.put(key, bytes, { mediaType, sha256: sha256OfPieces(bytes) });
    return bytes.reduce((sum, { length }) => sum + length, 0);
  } catch (error) {
    const there = await objects.size(key);
    if (there === null) throw error;
    return there;
  }
}

/** What may be otherwise at the next try. */
const passing = ["dns_failed", "connect_failed", "tls_failed", "timed_out", "connection_lost"];
const passingStatuses = [408, 425, 429];

function failureOf(index: number, file: Exclude<Download, { type: "downloaded" }>): Failure {
  if (file.type === "failed") {
    const mayPass = passing.includes(file.code);
    const code = mayPass
      ? "input_fetch_failed"
      : file.code === "too_large"
        ? "too_large"
        : "input_unavailable";
    return failed(code, index, file.message);
  }
  const { status } = file;
  if (status >= 300 && status < 400) {
    const reason = `its URL redirects (${status}); give the address that it leads to`;
    return failed("input_unavailable", index, reason);
  }
  const mayPass = status >= 500 || passingStatuses.includes(status);
  const reason = `its server answered with status ${status}`;
  return failed(mayPass ? "input_fetch_failed" : "input_unavailable", index, reason);
}

function failed(code: FailureCode, index: number, reason: string): Failure {
  return { code, message: `Cannot use image ${index}: ${reason}`, billed: "no" };
}

function tooHeavy(bytes: number): Failure {
  return {
    code: "too_large",
    message: `The reference images have ${bytes} bytes together, and Gemini takes about ${mostImageBytes}`,
    billed: "no",
  };
}

/** Of the images that were known at submit and would be sent without the turns before. */
function knownBytes({ images, continued }: JobRequest): number {
  return images.reduce((sum, image) => sum + ("bytes" in image ? image.bytes : 0), continued?.bytes ?? 0);
}
