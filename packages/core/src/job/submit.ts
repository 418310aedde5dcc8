import type { Clock, Random } from "../clock.ts";
import { DomainError } from "../error.ts";
import { sha256Hex } from "../hash.ts";
import { idEntropyBytes, type JobId, newJobId } from "../id.ts";
import { inspect, type MediaType } from "../image/inspect.ts";
import { canonicalJson } from "../json.ts";
import type { AspectRatio, ImageSize, Model } from "../model/model.ts";
import { chooseModel } from "../model/registry.ts";
import { estimateCost } from "./estimate.ts";
import type { QueuedJob } from "./job.ts";
import { inputKey } from "./keys.ts";
import { arrivalMs } from "./policy.ts";
import type { JobQueue, Jobs, Objects } from "./ports.ts";
import type { InputImage, JobRequest } from "./request.ts";

/** A job as a caller asks for it: shapes are validated, what the model can do is not yet. */
export type Submission = {
  readonly model: string;
  readonly prompt: string;
  readonly images: readonly SubmittedImage[];
  readonly aspectRatio: AspectRatio | null;
  readonly imageSize: ImageSize | null;
  readonly count: number;
  readonly output: "image" | "image_and_text";
  readonly deadlineMs: number;
  readonly metadata: Readonly<Record<string, string>>;
};

export type SubmittedImage =
  /** `mediaType` is what the caller says; the bytes decide, and a contradiction is refused. */
  | { readonly type: "data"; readonly bytes: Uint8Array; readonly mediaType: MediaType | null }
  | { readonly type: "job"; readonly jobId: JobId; readonly index: number };

export type SubmitPorts = {
  readonly jobs: Jobs;
  readonly queue: JobQueue;
  readonly objects: Objects;
  readonly clock: Clock;
  readonly random: Random;
};

/** A job as it was at its creation, which is also what a replay shows. */
export type Submitted = { readonly job: QueuedJob; readonly request: JobRequest; readonly replayed: boolean };

const keyLifeMs = 7 * 24 * 3_600_000;
const largestPixels = 40_000_000;

/**
 * Accepts a job: everything is checked, then job, request and idempotency key are written in one transaction, then a
 * message is sent. A message that can't be sent is made good by the sweep, so it doesn't fail the submission.
 * @param onUnsent hears why a message could not be sent
 * @throws DomainError for everything that the caller can mend; then nothing was stored that any job refers to
 */
export async function submit(
  ports: SubmitPorts,
  tenant: string,
  submission: Submission,
  idempotencyKey: string | null,
  onUnsent: (error: unknown) => void,
): Promise<Submitted> {
  const { jobs, queue, objects, clock, random } = ports;
  const { model, warnings } = chooseModel(submission.model);
  checkAbilities(model, submission);
  const at = clock.now();
  const idempotency =
    idempotencyKey === null
      ? null
      : { key: idempotencyKey, fingerprint: fingerprintOf(submission), expiresAt: at + keyLifeMs };
  if (idempotency) {
    const holder = await jobs.findByKey(tenant, idempotency.key, at);
    if (holder) return replay(jobs, holder.id, holder.fingerprint, idempotency.fingerprint);
  }

  const inputs = await Promise.all(
    submission.images.map((image, index) => readInput(jobs, tenant, image, index)),
  );
  const id = newJobId(at, random.bytes(idEntropyBytes));
  const deadlineAt = at + submission.deadlineMs;
  const job: QueuedJob = {
    id,
    tenant,
    model: model.id,
    status: "queued",
    createdAt: at,
    deadlineAt,
    startedAt: null,
    fence: 0,
    spent: {},
    crashes: 0,
    lastFailure: null,
    version: 1,
    runAfter: at,
    dueAt: Math.min(at + arrivalMs, deadlineAt),
    checks: 0,
  };
  const { prompt, aspectRatio, imageSize, count, output, metadata } = submission;
  const request: JobRequest = {
    requestedModel: submission.model,
    prompt,
    images: inputs.map(({ image }) => image),
    aspectRatio,
    imageSize,
    count,
    output,
    metadata: { ...metadata },
    warnings: [...warnings],
    estimatedCost: estimateCost(model, submission),
  };
  for (const { image, bytes } of inputs) {
    if (bytes) await objects.put(inputKey(job, image.sha256), [bytes], image);
  }
  const created = await jobs.create(job, request, idempotency, at);
  if (!created.created) return replay(jobs, created.id, created.fingerprint, idempotency?.fingerprint);
  try {
    await queue.send(job, 0);
  } catch (error) {
    onUnsent(error);
  }
  return { job, request, replayed: false };
}

/** The create-time answer again, whatever has become of the job since. */
async function replay(jobs: Jobs, id: JobId, held: string, given: string | undefined): Promise<Submitted> {
  if (held !== given) {
    throw new DomainError(
      "idempotency_key_reused",
      `This Idempotency-Key belongs to another request, which made job "${id}"; use a new key for a new request`,
      { field: "Idempotency-Key" },
    );
  }
  const record = await jobs.read(id);
  if (!record) throw new Error(`Cannot replay job "${id}": its key is there, the job is not`);
  const { job, request } = record;
  return {
    request,
    replayed: true,
    job: {
      id,
      tenant: job.tenant,
      model: job.model,
      status: "queued",
      createdAt: job.createdAt,
      deadlineAt: job.deadlineAt,
      startedAt: null,
      fence: 0,
      spent: {},
      crashes: 0,
      lastFailure: null,
      version: 1,
      runAfter: job.createdAt,
      dueAt: Math.min(job.createdAt + arrivalMs, job.deadlineAt),
      checks: 0,
    },
  };
}

/** Refuses what this model can't do, before anything is stored or paid. */
function checkAbilities(model: Model, { aspectRatio, imageSize, images }: Submission): void {
  if (aspectRatio !== null && !model.aspectRatios.includes(aspectRatio)) {
    throw new DomainError("invalid_request", `Model "${model.id}" can't make aspect ratio "${aspectRatio}"`, {
      field: "aspect_ratio",
      allowed: model.aspectRatios,
    });
  }
  if (imageSize !== null && !model.imageSizes.includes(imageSize)) {
    const message =
      model.imageSizes.length === 0
        ? `Model "${model.id}" has one size of about 1K; leave image_size out`
        : `Model "${model.id}" can't make image size "${imageSize}"`;
    throw new DomainError("invalid_request", message, { field: "image_size", allowed: model.imageSizes });
  }
  if (images.length > model.maxReferenceImages) {
    throw new DomainError(
      "invalid_request",
      `Model "${model.id}" takes at most ${model.maxReferenceImages} reference images; ${images.length} were given`,
      { field: "images" },
    );
  }
}

async function readInput(
  jobs: Jobs,
  tenant: string,
  image: SubmittedImage,
  index: number,
): Promise<{ image: InputImage; bytes: Uint8Array | null }> {
  return image.type === "data" ? inspectInput(image, index) : findSource(jobs, tenant, image, index);
}

function inspectInput(
  { bytes, mediaType: declared }: Extract<SubmittedImage, { type: "data" }>,
  index: number,
): { image: InputImage; bytes: Uint8Array } {
  const field = `images[${index}].data`;
  const found = inspect(bytes);
  if ("unreadable" in found) {
    const reason =
      found.unreadable === "truncated"
        ? "its end is missing; send the whole file"
        : "by its bytes it is none of PNG, JPEG, WebP, HEIC and HEIF";
    throw new DomainError("invalid_image", `Cannot use image ${index}: ${reason}`, {
      field,
      allowed: ["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"] satisfies MediaType[],
    });
  }
  const { mediaType, width, height } = found;
  if (declared !== null && declared !== mediaType) {
    throw new DomainError(
      "invalid_image",
      `Cannot use image ${index}: it is called ${declared}, but by its bytes it is ${mediaType}`,
      { field: `images[${index}].media_type`, allowed: [mediaType] },
    );
  }
  if (width * height > largestPixels) {
    throw new DomainError(
      "image_too_large",
      `Cannot use image ${index}: ${width}x${height} is over 40 megapixels; send a smaller one`,
      { field },
    );
  }
  const sha256 = sha256Hex(bytes);
  return { image: { sha256, mediaType, bytes: bytes.length, width, height, source: null }, bytes };
}

async function findSource(
  jobs: Jobs,
  tenant: string,
  { jobId, index: wanted }: Extract<SubmittedImage, { type: "job" }>,
  index: number,
): Promise<{ image: InputImage; bytes: null }> {
  const record = await jobs.read(jobId);
  if (!record || record.job.tenant !== tenant) {
    throw new DomainError("source_job_not_found", `Cannot use image ${index}: there is no job "${jobId}"`, {
      field: `images[${index}].job_id`,
    });
  }
  if (record.job.status !== "succeeded" || !record.result) {
    throw new DomainError(
      "source_job_not_succeeded",
      `Cannot use image ${index}: job "${jobId}" is ${record.job.status}; only a succeeded job has images`,
      { field: `images[${index}].job_id` },
    );
  }
  const source = record.result.images.find((image) => image.index === wanted);
  if (!source) {
    throw new DomainError(
      "image_not_found",
      `Cannot use image ${index}: job "${jobId}" has no image ${wanted}`,
      {
        field: `images[${index}].index`,
        allowed: record.result.images.map((image) => String(image.index)),
      },
    );
  }
  const { key, sha256, mediaType, bytes, width, height } = source;
  return {
    image: { sha256, mediaType, bytes, width, height, source: { jobId, index: wanted, key } },
    bytes: null,
  };
}

/** Equal for equal requests: pictures count by their hash, everything else by its canonical JSON. */
function fingerprintOf({ images, ...rest }: Submission): string {
  const hashed = images.map((image) => (image.type === "data" ? { sha256: sha256Hex(image.bytes) } : image));
  return sha256Hex(canonicalJson({ ...rest, images: hashed }));
}
