import { isPoolName, type PoolName } from "@plantain/core/capacity/held";
import { isJobId, type JobId, shardOf } from "@plantain/core/id";
import { type Attempt, type Call, releaseReasons } from "@plantain/core/job/attempt";
import type { Job } from "@plantain/core/job/job";
import { FailureCodeRecord, FailureRecord, UpstreamRecord, UsageRecord } from "@plantain/core/job/outcome";
import { dueShards } from "@plantain/core/job/ports";
import type { Tombstone } from "@plantain/core/job/tombstone";
import { jobEventTypes } from "@plantain/core/webhook/event";
import * as z from "zod";
import { jobPrefix } from "./table.ts";

/*
 * How a job lies in the table: one partition `JOB#<id>` with META, REQUEST, RESULT and one ATTEMPT#<fence> per claim.
 * Items are parsed on the way in, so that a wrong item is an error here and not a surprise later.
 */

const Id = z.string().refine(isJobId, "Not a job id");
const Time = z.number().int();

const HeldReasonRecord = z.union([z.enum(["tenant_limit", "model_limit"]), FailureCodeRecord]);

const HeldRecord = z.object({
  by: z.string().refine(isPoolName, "Not the name of a pool"),
  reason: HeldReasonRecord,
  since: Time,
  until: Time.nullable(),
});

const base = {
  id: Id,
  tenant: z.string(),
  model: z.string(),
  count: z.number().int(),
  notifies: z.array(z.enum(jobEventTypes)),
  createdAt: Time,
  deadlineAt: Time,
  startedAt: Time.nullable(),
  fence: z.number().int(),
  spent: z.record(z.string(), z.number()),
  crashes: z.number().int(),
  lastFailure: FailureRecord.nullable(),
  hasImages: z.boolean(),
  version: z.number().int(),
};
const unfinished = { ...base, dueAt: Time, checks: z.number().int() };
const finished = { ...base, finishedAt: Time };

export const QueuedJobItem = z.object({
  ...unfinished,
  status: z.literal("queued"),
  runAfter: Time,
  held: HeldRecord.nullable(),
});

const JobItem = z.discriminatedUnion("status", [
  QueuedJobItem,
  z.object({
    ...unfinished,
    status: z.literal("running"),
    queuedAt: Time,
    claimedAt: Time,
    leaseUntil: Time,
    paying: z.array(z.number().int()),
  }),
  z.object({ ...finished, status: z.literal("succeeded") }),
  z.object({ ...finished, status: z.literal("failed"), failure: FailureRecord }),
  z.object({ ...finished, status: z.literal("canceled") }),
]);

const CallRecord = z.object({
  index: z.number().int(),
  billed: z.enum(["yes", "no", "unknown"]),
  usage: UsageRecord.nullable(),
  cost: z.number().nullable(),
  upstream: UpstreamRecord.nullable(),
  failure: FailureRecord.nullable(),
  startedAt: Time.nullable(),
  answeredAt: Time.nullable(),
  storedAt: Time.nullable(),
});

/** A line may hold only the bill as yet (`ended` absent): its owner told it before anybody closed the attempt. */
const AttemptItem = z.object({
  fence: z.number().int(),
  queuedAt: Time,
  startedAt: Time,
  endedAt: Time,
  ended: z.enum(["succeeded", "failed", "retried", "released", "canceled", "expired", "worker_lost"]),
  failure: FailureRecord.nullable(),
  reason: z.union([HeldReasonRecord, z.enum(releaseReasons)]).nullable(),
  calls: z.array(CallRecord),
});

export const sortKeys = { meta: "META", request: "REQUEST", result: "RESULT", attempt: "ATTEMPT#" } as const;

export function jobKey(id: JobId): string {
  return `${jobPrefix}${id}`;
}

/** Zero-padded, so that fences sort as numbers. */
export function attemptKey(fence: number): string {
  return `${sortKeys.attempt}${String(fence).padStart(6, "0")}`;
}

export function createdKey(job: { createdAt: number; id: JobId }): string {
  return `${String(job.createdAt).padStart(15, "0")}#${job.id}`;
}

export function jobItem(job: Job, writeId: string): Record<string, unknown> {
  return {
    ...job,
    pk: jobKey(job.id),
    sk: sortKeys.meta,
    createdKey: createdKey(job),
    writeId,
    ...("dueAt" in job ? { dueShard: dueShard(job.id) } : {}),
    ...(job.status === "queued" && job.held ? { heldKey: heldKey(job.held.by, job.tenant) } : {}),
  };
}

/** `null` where the job was deleted, and a tombstone is in its place. */
export function parseJob(item: Record<string, unknown>): Job | null {
  return isTombstone(item) ? null : JobItem.parse(item);
}

const TombstoneItem = z.object({
  id: Id,
  tenant: z.string(),
  fence: z.number().int(),
  deletedAt: Time,
  purges: z.number().int(),
  dueAt: Time,
  version: z.number().int(),
});

/** In the place of META, and in no index but that of what is due. */
export function tombstoneItem(tombstone: Tombstone, writeId: string): Record<string, unknown> {
  return {
    ...tombstone,
    pk: jobKey(tombstone.id),
    sk: sortKeys.meta,
    status: "deleted",
    writeId,
    dueShard: dueShard(tombstone.id),
  };
}

export function parseTombstone(item: Record<string, unknown>): Tombstone | null {
  return isTombstone(item) ? TombstoneItem.parse(item) : null;
}

function isTombstone({ status }: Record<string, unknown>): boolean {
  return status === "deleted";
}

export function parseAttempt(item: Record<string, unknown>): Attempt | null {
  return "ended" in item ? AttemptItem.parse(item) : null;
}

export function parseCalls(calls: unknown): readonly Call[] {
  return z.array(CallRecord).parse(calls);
}

export function dueShard(id: JobId): string {
  return shardName(shardOf(id, dueShards));
}

export function shardName(shard: number): string {
  return `J#${shard}`;
}

export function heldKey(by: PoolName, tenant: string): string {
  return `${by}#${tenant}`;
}

/** The job that a key of the table or of an index names, behind its first "#". */
export function idIn(key: string): JobId {
  const id = key.slice(key.indexOf("#") + 1);
  if (!isJobId(id)) throw new Error(`Cannot read index entry: "${key}" names no job`);
  return id;
}
