import { admit } from "../capacity/admit.ts";
import type { CapacityPorts } from "../capacity/ports.ts";
import { reservedUntil, standInLine } from "../capacity/promote.ts";
import type { Random } from "../clock.ts";
import { continueFrom, mostImageBytes } from "../conversation/continue.ts";
import { DomainError } from "../error.ts";
import { sha256Hex } from "../hash.ts";
import { idEntropyBytes, newJobId } from "../id.ts";
import { canonicalJson } from "../json.ts";
import type { Model } from "../model/model.ts";
import { pricingVersion } from "../model/models.ts";
import type { Registry } from "../model/registry.ts";
import { acceptImage } from "./accept-image.ts";
import { checkAbilities } from "./check-abilities.ts";
import { estimateCost } from "./estimate.ts";
import { newJob, type QueuedJob } from "./job.ts";
import { inputKey } from "./keys.ts";
import type { KeyedJob, Objects } from "./ports.ts";
import type { InputImage, JobRequest, ReferenceImage, ShownRequest, WorkedOut } from "./request.ts";
import type { Submission } from "./submission.ts";
import { transition } from "./transition.ts";

export type SubmitPorts = CapacityPorts & {
  readonly objects: Objects;
  readonly random: Random;
  readonly registry: Registry;
  /** An id or alias. */
  readonly defaultModel: string;
};

/** A job as it was at its creation, which is also what a replay shows. */
export type Submitted = {
  readonly job: QueuedJob;
  readonly request: ShownRequest;
  readonly replayed: boolean;
};

const keyLifeMs = 7 * 24 * 3_600_000;

/**
 * Accepts a job: everything is checked, then job, request and idempotency key are written in one transaction, then a
 * message is sent, or the job held if there is no place for it. What can't be sent is made good by the sweep, so it
 * doesn't fail the submission.
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
  const { jobs, objects, clock, random, policy, registry } = ports;
  const at = clock.now();
  if (idempotencyKey !== null) {
    const holder = await jobs.findByKey(tenant, idempotencyKey, at);
    if (holder) return replay(holder, submission);
  }

  const { defaultModel } = ports;
  const requestedModel = submission.model ?? defaultModel;
  const { model, warnings } = registry.choose(requestedModel);
  checkAbilities(model, submission);
  const inputs = await Promise.all(
    submission.images.map((image, index) => acceptImage(jobs, tenant, image, index)),
  );
  const images = inputs.map(({ image }) => image);
  const known = images.flatMap((image) => ("url" in image ? [] : [image]));
  const { continueFrom: from } = submission;
  const continuation = from && (await continueFrom(jobs, tenant, from, model, images));
  checkTypes(model, images);
  checkWeight([...known, ...(continuation ? [continuation.continued] : [])]);
  const id = newJobId(at, random.bytes(idEntropyBytes));
  const { count, deadlineMs, webhook } = submission;
  const notifies = webhook?.events ?? [];
  const job = newJob(
    { id, tenant, model: model.id, count, notifies, createdAt: at, deadlineAt: at + deadlineMs },
    policy,
  );
  const workedOut: WorkedOut = {
    requestedModel,
    images,
    continueFrom: continuation?.turn ?? null,
    warnings: [...warnings, ...(continuation?.warnings ?? [])],
    estimatedCost: estimateCost(model, submission),
    pricingVersion,
  };
  const shown = shownRequest(submission, workedOut);
  const request: JobRequest = {
    ...shown,
    continued: continuation?.continued ?? null,
    history: [...(continuation?.history ?? [])],
  };
  for (const { image, bytes } of inputs) {
    if (bytes !== null) await objects.put(inputKey(job, image.sha256), [bytes], image);
  }
  const idempotency =
    idempotencyKey === null
      ? null
      : {
          key: idempotencyKey,
          fingerprint: fingerprintOf(submission, defaultModel),
          expiresAt: at + keyLifeMs,
          defaultModel,
          workedOut,
        };
  const created = await jobs.create(job, request, idempotency, at);
  if (!created.created) return replay(created.holder, submission);
  try {
    await sendOrHold(ports, job);
  } catch (error) {
    onUnsent(error);
  }
  return { job, request: shown, replayed: false };
}

function shownRequest(submission: Submission, workedOut: WorkedOut): ShownRequest {
  const { model: _, deadlineMs: __, ...asked } = submission;
  return { ...asked, metadata: { ...submission.metadata }, ...workedOut };
}

/** Takes a place for a new job before it is sent; one that there is none for waits without a message, from the start. */
async function sendOrHold(ports: SubmitPorts, job: QueuedJob): Promise<void> {
  const { jobs, queue, clock, policy } = ports;
  const at = clock.now();
  // Who can't get at the pools sends it all the same: then the worker finds out
  const came = await admit(ports, job, job.count, reservedUntil(policy, at)).catch(() => null);
  if (came === null || !("reason" in came)) return queue.send(job, 0);
  const held = await transition(jobs, job, { type: "held", at, held: came }, policy);
  if (held.job?.status === "queued") await standInLine(ports, held.job);
}

/** The create-time answer again, whatever has become of the job since: what it shows and isn't kept, this submission says. */
function replay({ job, workedOut, fingerprint, defaultModel }: KeyedJob, submission: Submission): Submitted {
  if (fingerprint === fingerprintOf(submission, defaultModel))
    return { job, request: shownRequest(submission, workedOut), replayed: true };
  throw new DomainError(
    "idempotency_key_reused",
    `This Idempotency-Key belongs to another request, which made job "${job.id}"; use a new key for a new request`,
    { field: "Idempotency-Key" },
  );
}

function checkTypes(model: Model, images: readonly ReferenceImage[]): void {
  for (const [index, image] of images.entries()) {
    if ("url" in image || model.inputTypes.includes(image.mediaType)) continue;
    throw new DomainError("invalid_image", `Model "${model.id}" takes no ${image.mediaType}`, {
      field: `images[${index}]`,
      allowed: model.inputTypes,
    });
  }
}

/** Refuses what Gemini would find too large, before it is stored. */
function checkWeight(images: readonly InputImage[]): void {
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  if (bytes <= mostImageBytes) return;
  throw new DomainError(
    "image_too_large",
    `The reference images have ${bytes} bytes together, and Gemini takes about ${mostImageBytes}; send fewer or smaller ones`,
    { field: "images" },
  );
}

/** Equal for equal requests: pictures count by their hash, everything else by its canonical JSON. */
function fingerprintOf({ images, model, ...rest }: Submission, defaultModel: string): string {
  const hashed = images.map((image) => (image.type === "data" ? { sha256: sha256Hex(image.bytes) } : image));
  return sha256Hex(canonicalJson({ ...rest, model: model ?? defaultModel, images: hashed }));
}
