import { mediaTypes } from "@plantain/core/image/inspect";
import { isSettled } from "@plantain/core/job/attempt";
import { type Failure, failureClasses } from "@plantain/core/job/failure";
import { isFinished, type Job } from "@plantain/core/job/job";
import type { StoredImage } from "@plantain/core/job/outcome";
import type { JobRecord, SignedUrls } from "@plantain/core/job/ports";
import type { Model } from "@plantain/core/model/model";
import { pricingVersion } from "@plantain/core/model/models";
import { addUsage, dollars, noUsage } from "@plantain/core/model/pricing";

/*
 * The domain as the wire shows it: snake_case, RFC 3339 times, money as decimal strings of US dollars.
 */

const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());

const extensions: Readonly<Record<StoredImage["mediaType"], string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
  "image/heic": "heic",
  "image/heif": "heif",
};

/** A name for people who save the image: objects themselves have none. */
export function fileName(job: Job, { index, mediaType }: StoredImage): string {
  return `${job.id}-${index}.${extensions[mediaType]}`;
}

/** What a list shows of a job: all that doesn't need its request, result and attempts. */
export function jobSummary(job: Job) {
  return {
    id: job.id,
    object: "job",
    status: job.status,
    model: job.model,
    created_at: time(job.createdAt),
    started_at: time(job.startedAt),
    finished_at: isFinished(job) ? time(job.finishedAt) : null,
    deadline_at: time(job.deadlineAt),
    attempts: job.fence,
    error: job.status === "failed" ? wireFailure(job.failure) : null,
    links: { self: `/v1/jobs/${job.id}`, cancel: `/v1/jobs/${job.id}/cancel` },
  };
}

/** A whole job. Signed URLs are made here, at each read, as of `at`. */
export async function wireJob(
  { job, request, result, attempts }: JobRecord,
  signedUrls: SignedUrls,
  at: number,
) {
  const { links, error, ...summary } = jobSummary(job);
  const images = job.status === "succeeded" ? (result?.images ?? []) : [];
  return {
    ...summary,
    requested_model: request.requestedModel,
    prompt: request.prompt,
    aspect_ratio: request.aspectRatio,
    image_size: request.imageSize,
    count: request.count,
    output: request.output,
    reference_images: request.images.map(({ sha256, mediaType, bytes, width, height, source }) => ({
      media_type: mediaType,
      width,
      height,
      bytes,
      sha256,
      job_id: source?.jobId ?? null,
      index: source?.index ?? null,
    })),
    images: await Promise.all(images.map((image) => wireImage(job, image, signedUrls, at))),
    text: result?.text ?? null,
    metadata: request.metadata,
    usage: wireUsage(attempts),
    cost: wireCost(job, request, attempts),
    error,
    last_error: wireLastFailure(job),
    warnings: [...request.warnings, ...(result?.warnings ?? [])],
    links,
  };
}

async function wireImage(job: Job, image: StoredImage, signedUrls: SignedUrls, at: number) {
  const { index, key, mediaType, width, height, bytes, sha256 } = image;
  const { url, expiresAt } = await signedUrls.sign(key, at, fileName(job, image));
  return {
    index,
    url,
    url_expires_at: time(expiresAt),
    media_type: mediaType,
    width,
    height,
    bytes,
    sha256,
    links: { self: `/v1/jobs/${job.id}/images/${index}` },
  };
}

function wireUsage(attempts: JobRecord["attempts"]) {
  const usage = attempts
    .flatMap(({ calls }) => calls)
    .reduce((sum, call) => addUsage(sum, call.usage ?? noUsage), noUsage);
  return {
    input_tokens: { text: usage.inputText, image: usage.inputImage },
    output_tokens: { text: usage.outputText, image: usage.outputImage, thinking: usage.thinking },
  };
}

/**
 * The sum over all attempts, failed ones too. `usd` is null where a price that counts isn't published; `final` once
 * the job is over and every bill is known.
 */
function wireCost(job: Job, request: JobRecord["request"], attempts: JobRecord["attempts"]) {
  const billed = attempts.flatMap(({ calls }) => calls).filter((call) => call.billed === "yes");
  const known = billed.flatMap(({ cost }) => cost ?? []);
  const unknownAttempts = attempts.filter(({ calls }) => !isSettled(calls)).length;
  return {
    usd: known.length === billed.length ? dollars(known.reduce((sum, cost) => sum + cost, 0)) : null,
    estimated_usd: request.estimatedCost === null ? null : dollars(request.estimatedCost),
    final: isFinished(job) && unknownAttempts === 0,
    unknown_attempts: unknownAttempts,
    pricing_version: pricingVersion,
  };
}

const billedWire = { yes: true, no: false, unknown: null } as const;

function wireFailure({ code, message, billed, upstream }: Failure) {
  const { retryable, hint } = failureClasses[code];
  return {
    code,
    message,
    hint,
    retryable,
    billed: billedWire[billed],
    upstream: upstream
      ? {
          status: upstream.status ?? null,
          finish_reason: upstream.finishReason ?? null,
          message: upstream.message ?? null,
        }
      : null,
  };
}

/** Why a job that goes on had no image yet, and when it is tried again. */
function wireLastFailure(job: Job) {
  if (isFinished(job) || !job.lastFailure) return null;
  const { code, message } = job.lastFailure;
  return { code, message, retry_at: job.status === "queued" ? time(job.runAfter) : null };
}

export function wireModel(model: Model) {
  const { input, textOutput, imageOutput } = model.prices;
  return {
    id: model.id,
    object: "model",
    title: model.title,
    aliases: model.aliases.map(({ name }) => name),
    status: model.status,
    notice: model.notice ?? null,
    aspect_ratios: model.aspectRatios,
    image_sizes: model.imageSizes,
    pixels: model.pixels,
    max_reference_images: model.maxReferenceImages,
    input_types: mediaTypes,
    prices: {
      currency: "USD",
      unit: "1M tokens",
      input,
      text_output: textOutput,
      image_output: imageOutput,
      image_tokens: model.imageTokens,
      pricing_version: pricingVersion,
    },
  };
}
