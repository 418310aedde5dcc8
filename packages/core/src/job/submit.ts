import type { Clock, Random } from "../clock.ts";
import { DomainError } from "../error.ts";
import { sha256Hex } from "../hash.ts";
import { idEntropyBytes, type JobId, newJobId } from "../id.ts";
import { canonicalJson } from "../json.ts";
import type { AspectRatio, ImageSize, Model } from "../model/model.ts";
import { chooseModel } from "../model/registry.ts";
import { acceptImage, type SubmittedImage } from "./accept-image.ts";
import { estimateCost } from "./estimate.ts";
import { newJob, type QueuedJob } from "./job.ts";
import { inputKey } from "./keys.ts";
import type { Policy } from "./policy.ts";
import type { JobQueue, Jobs, Objects } from "./ports.ts";
import type { JobRequest } from "./request.ts";

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

export type SubmitPorts = {
  readonly jobs: Jobs;
  readonly queue: JobQueue;
  readonly objects: Objects;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Policy;
};

/** A job as it was at its creation, which is also what a replay shows. */
export type Submitted = { readonly job: QueuedJob; readonly request: JobRequest; readonly replayed: boolean };

const keyLifeMs = 7 * 24 * 3_600_000;

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
  const { jobs, queue, objects, clock, random, policy } = ports;
  const { model, warnings } = chooseModel(submission.model);
  checkAbilities(model, submission);
  const at = clock.now();
  const idempotency =
    idempotencyKey === null
      ? null
      : { key: idempotencyKey, fingerprint: fingerprintOf(submission), expiresAt: at + keyLifeMs };
  if (idempotency) {
    const holder = await jobs.findByKey(tenant, idempotency.key, at);
    if (holder) return replay(ports, holder.id, holder.fingerprint, idempotency.fingerprint);
  }

  const inputs = await Promise.all(
    submission.images.map((image, index) => acceptImage(jobs, tenant, image, index)),
  );
  const id = newJobId(at, random.bytes(idEntropyBytes));
  const job = newJob(
    { id, tenant, model: model.id, createdAt: at, deadlineAt: at + submission.deadlineMs },
    policy,
  );
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
  if (!created.created) return replay(ports, created.id, created.fingerprint, idempotency?.fingerprint);
  try {
    await queue.send(job, 0);
  } catch (error) {
    onUnsent(error);
  }
  return { job, request, replayed: false };
}

/** The create-time answer again, whatever has become of the job since. */
async function replay(
  { jobs, policy }: SubmitPorts,
  id: JobId,
  held: string,
  given: string | undefined,
): Promise<Submitted> {
  if (held !== given) {
    throw new DomainError(
      "idempotency_key_reused",
      `This Idempotency-Key belongs to another request, which made job "${id}"; use a new key for a new request`,
      { field: "Idempotency-Key" },
    );
  }
  const record = await jobs.read(id);
  if (!record) throw new Error(`Cannot replay job "${id}": its key is there, the job is not`);
  const { tenant, model, createdAt, deadlineAt } = record.job;
  return {
    job: newJob({ id, tenant, model, createdAt, deadlineAt }, policy),
    request: record.request,
    replayed: true,
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

/** Equal for equal requests: pictures count by their hash, everything else by its canonical JSON. */
function fingerprintOf({ images, ...rest }: Submission): string {
  const hashed = images.map((image) => (image.type === "data" ? { sha256: sha256Hex(image.bytes) } : image));
  return sha256Hex(canonicalJson({ ...rest, images: hashed }));
}
