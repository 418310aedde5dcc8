import type { HeldReason } from "@plantain/core/capacity/held";
import type { Turn } from "@plantain/core/conversation/turns";
import { type Attempt, isSettled } from "@plantain/core/job/attempt";
import { type Failure, failureClasses } from "@plantain/core/job/failure";
import { isFinished, type Job } from "@plantain/core/job/job";
import type { FetchedImage, GroundingRecord, StoredImage } from "@plantain/core/job/outcome";
import type { JobRecord, SignedUrls } from "@plantain/core/job/ports";
import type { ReferenceImage, ShownRequest, TurnRef } from "@plantain/core/job/request";
import { addUsage, dollars, noUsage, type Usage } from "@plantain/core/model/pricing";

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
    held_by: wireHeld(job),
    error: job.status === "failed" ? wireFailure(job.failure) : null,
    links: {
      self: `/v1/jobs/${job.id}`,
      cancel: `/v1/jobs/${job.id}/cancel`,
      attempts: `/v1/jobs/${job.id}/attempts`,
      turns: `/v1/jobs/${job.id}/turns`,
    },
  };
}

/** A whole job. Signed URLs are made here, at each read, as of `at`. */
export async function wireJob(
  { job, request, result, attempts }: Omit<JobRecord, "request"> & { readonly request: ShownRequest },
  signedUrls: SignedUrls,
  at: number,
) {
  const { links, error, ...summary } = jobSummary(job);
  // What is there while more is tried isn't shown: it is final only with the job
  const shown = job.status === "succeeded" ? result : null;
  return {
    ...summary,
    requested_model: request.requestedModel,
    prompt: request.prompt,
    aspect_ratio: request.aspectRatio,
    image_size: request.imageSize,
    count: request.count,
    output: request.output,
    thinking: request.thinking,
    grounding_requested: request.grounding,
    safety: request.safety,
    seed: request.seed,
    continue_from: request.continueFrom && wireTurnRef(request.continueFrom),
    reference_images: request.images.map((image) => wireReference(image, shown?.fetched ?? [])),
    images: await Promise.all((shown?.images ?? []).map((image) => wireImage(job, image, signedUrls, at))),
    text: shown?.text ?? null,
    grounding: shown?.grounding ? wireGrounding(shown.grounding) : null,
    metadata: request.metadata,
    webhook: request.webhook && { url: request.webhook.url, events: request.webhook.events },
    usage: wireUsage(attempts),
    cost: wireCost(job, request, attempts),
    error,
    last_error: wireLastFailure(job),
    warnings: [...request.warnings, ...(shown?.warnings ?? [])],
    links,
  };
}

/** What a URL led to is known of a succeeded job alone. */
function wireReference(image: ReferenceImage, fetched: readonly FetchedImage[]) {
  const isLinked = "url" in image;
  const known = isLinked ? fetched.find(({ url }) => url === image.url) : image;
  return {
    url: isLinked ? image.url : null,
    media_type: known?.mediaType ?? null,
    width: known?.width ?? null,
    height: known?.height ?? null,
    bytes: known?.bytes ?? null,
    sha256: known?.sha256 ?? null,
    job_id: isLinked ? null : (image.source?.jobId ?? null),
    index: isLinked ? null : (image.source?.index ?? null),
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

function wireTurnRef({ jobId, index }: TurnRef) {
  return { job_id: jobId, index };
}

/** What Google's terms ask to show beside a grounded image: the pages, and its search widget unchanged. */
function wireGrounding({ webQueries, imageQueries, pages, pictures, widgets }: GroundingRecord) {
  return {
    web_queries: webQueries,
    image_queries: imageQueries,
    pages: pages.map(({ page, title, domain }) => ({ url: page, title, domain })),
    pictures: pictures.map(({ page, picture, title, domain }) => ({
      page_url: page,
      url: picture,
      title,
      domain,
    })),
    search_widgets: widgets,
  };
}

/** A conversation read back: what was asked, and the image that the next turn went on from. */
export function wireTurn({ record: { job, request, result }, index }: Turn) {
  const image = job.status === "succeeded" ? result?.images.find((each) => each.index === index) : undefined;
  return {
    job_id: job.id,
    index,
    status: job.status,
    model: job.model,
    created_at: time(job.createdAt),
    prompt: request.prompt,
    text: image ? (result?.text ?? null) : null,
    reference_images: request.images.length,
    used_history: image ? request.history.length > 0 && image.usedHistory : null,
    image: image ? `/v1/jobs/${job.id}/images/${index}` : null,
  };
}

/** A line of the flight recorder. */
export function wireAttempt(attempt: Attempt) {
  const { fence, queuedAt, startedAt, endedAt, ended, failure, reason, calls } = attempt;
  return {
    number: fence,
    queued_at: time(queuedAt),
    started_at: time(startedAt),
    ended_at: time(endedAt),
    outcome: ended,
    failure: failure ? { code: failure.code, message: failure.message } : null,
    reason,
    calls: calls.map((call) => ({
      index: call.index,
      started_at: time(call.startedAt),
      answered_at: time(call.answeredAt),
      stored_at: time(call.storedAt),
      upstream_status: call.upstream?.status ?? null,
      finish_reason: call.upstream?.finishReason ?? null,
      failure: call.failure ? { code: call.failure.code, message: call.failure.message } : null,
      billed: billedWire[call.billed],
      usage: call.usage ? wireTokens(call.usage) : null,
      cost_usd: call.cost === null ? null : dollars(call.cost),
    })),
  };
}

function wireUsage(attempts: JobRecord["attempts"]) {
  const calls = attempts.flatMap((attempt) => attempt.calls);
  return wireTokens(calls.reduce((sum, call) => addUsage(sum, call.usage ?? noUsage), noUsage));
}

function wireTokens(usage: Usage) {
  return {
    input_tokens: { text: usage.inputText, image: usage.inputImage },
    output_tokens: { text: usage.outputText, image: usage.outputImage, thinking: usage.thinking },
  };
}

/**
 * The sum over all attempts, failed ones too. `usd` is null where a price that counts isn't published; `final` once
 * the job is over and every bill is known.
 */
function wireCost(job: Job, request: ShownRequest, attempts: JobRecord["attempts"]) {
  const billed = attempts.flatMap(({ calls }) => calls).filter((call) => call.billed === "yes");
  const known = billed.flatMap(({ cost }) => cost ?? []);
  const unknownAttempts = attempts.filter(({ calls }) => !isSettled(calls)).length;
  return {
    usd: known.length === billed.length ? dollars(known.reduce((sum, cost) => sum + cost, 0)) : null,
    estimated_usd: request.estimatedCost === null ? null : dollars(request.estimatedCost),
    final: isFinished(job) && unknownAttempts === 0,
    unknown_attempts: unknownAttempts,
    pricing_version: request.pricingVersion,
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

/** Why a job that is due isn't worked on. */
function wireHeld(job: Job) {
  if (job.status !== "queued" || !job.held) return null;
  const { reason, since, until } = job.held;
  return { reason, message: waitsFor(reason), since: time(since), until: time(until) };
}

function waitsFor(reason: HeldReason): string {
  if (reason === "tenant_limit") return "As many jobs of the tenant as may be are in work; this one follows";
  if (reason === "model_limit")
    return "As many calls to the model as it takes are in flight; this one follows";
  return failureClasses[reason].hint;
}

/** Why a job that goes on had no image yet, and when it is tried again. */
function wireLastFailure(job: Job) {
  if (isFinished(job) || !job.lastFailure) return null;
  const { code, message } = job.lastFailure;
  return { code, message, retry_at: job.status === "queued" ? time(job.runAfter) : null };
}
