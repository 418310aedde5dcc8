import { createHash } from "node:crypto";
import type { Limits } from "@plantain/core/capacity/limits";
import { newJobId } from "@plantain/core/id";
import type { QueuedJob, RunningJob } from "@plantain/core/job/job";
import type { Policy } from "@plantain/core/job/policy";
import type { Answer, GeneratedImage } from "@plantain/core/job/ports";
import type { JobRequest } from "@plantain/core/job/request";
import { noUsage } from "@plantain/core/model/pricing";
import { registryOf } from "@plantain/core/model/registry";
import { seededRandom } from "./clock.ts";

/*
 * Ready-made domain values for tests; each takes what the test is about and fills in the rest.
 */

export const sampleRegistry = registryOf({ retired: "serve", overrides: [] });

export const samplePolicy: Policy = {
  leaseMs: 60_000,
  beatMs: 20_000,
  beatVisibilityMs: 75_000,
  callMs: 240_000,
  callMarginMs: 30_000,
  arrivalMs: 60_000,
};

/** Room for everybody: for tests that are about something else. */
export const sampleLimits: Limits = {
  jobsPerTenant: 100,
  callsPerModel: 100,
  longestClosureMs: 900_000,
  providerKeys: ["key"],
};

const random = seededRandom(7);

export function sampleJob(about: Partial<QueuedJob> = {}): QueuedJob {
  const createdAt = about.createdAt ?? Date.UTC(2026, 10, 1);
  return {
    id: newJobId(createdAt, random.bytes(10)),
    tenant: "acme",
    model: "gemini-3-pro-image",
    count: 1,
    notifies: [],
    status: "queued",
    createdAt,
    deadlineAt: createdAt + 1_800_000,
    startedAt: null,
    fence: 0,
    spent: {},
    crashes: 0,
    lastFailure: null,
    hasImages: false,
    version: 1,
    runAfter: createdAt,
    held: null,
    dueAt: createdAt + 60_000,
    checks: 0,
    ...about,
  };
}

export function sampleRunning(about: Partial<RunningJob> = {}): RunningJob {
  const { runAfter: _, held: __, ...job } = sampleJob();
  const claimedAt = about.claimedAt ?? job.createdAt;
  return {
    ...job,
    status: "running",
    startedAt: claimedAt,
    fence: 1,
    version: 2,
    queuedAt: claimedAt,
    claimedAt,
    leaseUntil: claimedAt + samplePolicy.leaseMs,
    paying: [],
    ...about,
  };
}

export function sampleRequest(about: Partial<JobRequest> = {}): JobRequest {
  return {
    requestedModel: "nano-banana-pro",
    prompt: "A banana on a plate",
    images: [],
    aspectRatio: null,
    imageSize: null,
    count: 1,
    output: "image",
    thinking: null,
    grounding: { web: false, images: false },
    safety: {},
    seed: null,
    continueFrom: null,
    continued: null,
    history: [],
    metadata: {},
    webhook: null,
    warnings: [],
    estimatedCost: 138_000_000,
    pricingVersion: "2026-11",
    ...about,
  };
}

/** A picture whose bytes are this text: stores and hashes don't look inside. */
export function sampleImage(text = "picture"): GeneratedImage {
  const bytes = new TextEncoder().encode(text);
  return {
    bytes: [bytes],
    mediaType: "image/png",
    width: 1024,
    height: 1024,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

export function sampleAnswer(text = "picture"): Extract<Answer, { type: "image" }> {
  const image = sampleImage(text);
  return {
    type: "image",
    image,
    parts: [{ type: "image", image, signature: `signature of ${text}` }],
    text: null,
    grounding: null,
    usage: { ...noUsage, inputText: 5, outputImage: 1120, thinking: 200 },
    upstream: { status: 200, finishReason: "STOP" },
  };
}
