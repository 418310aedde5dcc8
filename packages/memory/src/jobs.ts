import { DomainError } from "@plantain/core/error";
import { type JobId, shardOf } from "@plantain/core/id";
import { type Attempt, type Call, isSettled, mergeCalls } from "@plantain/core/job/attempt";
import { isFinished, type Job } from "@plantain/core/job/job";
import type { Result } from "@plantain/core/job/outcome";
import { dueShards, type Jobs, type KeyedJob } from "@plantain/core/job/ports";
import type { JobRequest } from "@plantain/core/job/request";
import type { Tombstone } from "@plantain/core/job/tombstone";
import type { Deliveries } from "@plantain/core/webhook/ports";
import { memoryDeliveries } from "./deliveries.ts";

type Line = { attempt: Attempt | null; calls: readonly Call[] | null };
type Stored = { job: Job; request: JobRequest; result: Result | null; lines: Map<number, Line> };

/**
 * What the `Jobs` port means, in memory. For tests.
 * @param deliveries where the events of jobs that end are stored
 */
export function memoryJobs(deliveries: Pick<Deliveries, "announce"> = memoryDeliveries()): Jobs {
  const stored = new Map<JobId, Stored>();
  const tombstones = new Map<JobId, Tombstone>();
  const keys = new Map<string, KeyedJob & { expiresAt: number }>();

  const tell = (of: Stored, fence: number, change: (line: Line) => Line) =>
    of.lines.set(fence, change(of.lines.get(fence) ?? { attempt: null, calls: null }));

  return {
    async create(job, request, idempotency, at) {
      if (idempotency) {
        const name = `${job.tenant} ${idempotency.key}`;
        const holder = keys.get(name);
        if (holder && holder.expiresAt > at) return { created: false, holder: keyed(holder) };
        const { key: _, ...about } = idempotency;
        keys.set(name, structuredClone({ job, ...about }));
      }
      if (stored.has(job.id)) throw new Error(`Cannot create job "${job.id}": its id is taken`);
      stored.set(job.id, structuredClone({ job, request, result: null, lines: new Map() }));
      return { created: true };
    },

    async load(id) {
      return structuredClone(stored.get(id)?.job ?? null);
    },

    async read(id) {
      const found = stored.get(id);
      if (!found) return null;
      const { job, request, result, lines } = structuredClone(found);
      const attempts = [...lines]
        .sort(([a], [b]) => a - b)
        .flatMap(([, { attempt, calls }]) => (attempt ? [{ ...attempt, calls: calls ?? [] }] : []));
      return { job, request, result, attempts };
    },

    async findByKey(tenant, key, at) {
      const holder = keys.get(`${tenant} ${key}`);
      return holder && holder.expiresAt > at ? keyed(holder) : null;
    },

    async write(from, to, { attempt, result, announcement } = {}) {
      const found = stored.get(to.id);
      if (!found) return { written: false, current: null };
      if (found.job.version !== from.version) return { written: false, current: structuredClone(found.job) };
      found.job = structuredClone(to);
      if (result) found.result = structuredClone(result);
      if (announcement) await deliveries.announce(announcement);
      if (attempt) {
        tell(found, attempt.fence, ({ calls }) => ({
          attempt: structuredClone(attempt),
          calls: isSettled(attempt.calls)
            ? structuredClone(attempt.calls)
            : (calls ?? structuredClone(attempt.calls)),
        }));
      }
      return { written: true };
    },

    async settle(id, fence, calls) {
      const found = stored.get(id);
      if (!found) return;
      tell(found, fence, (line) => ({
        ...line,
        calls: structuredClone(mergeCalls(line.calls ?? [], calls)),
      }));
    },

    async list({ tenant, status, cursor, limit }) {
      const after = cursor === null ? null : readCursor(cursor);
      const newestFirst = [...stored.values()]
        .map(({ job }) => job)
        .filter((job) => job.tenant === tenant)
        .map((job) => ({ job, key: createdKey(job) }))
        .sort((a, b) => (a.key < b.key ? 1 : -1));
      const matching = newestFirst.filter(
        ({ job, key }) => (after === null || key < after) && (status === null || job.status === status),
      );
      const page = matching.slice(0, limit);
      const last = page.at(-1);
      return {
        jobs: structuredClone(page.map(({ job }) => job)),
        next: last && matching.length > limit ? Buffer.from(last.key).toString("base64url") : null,
      };
    },

    async due(shard, at, limit) {
      const open = [...stored.values()].flatMap(({ job }) => (isFinished(job) ? [] : [job]));
      return [...open, ...tombstones.values()]
        .map(({ id, dueAt }) => ({ id, dueAt }))
        .filter(({ id, dueAt }) => shardOf(id, dueShards) === shard && dueAt <= at)
        .sort((a, b) => a.dueAt - b.dueAt)
        .slice(0, limit);
    },

    async held(by, tenant, limit) {
      return [...stored.values()]
        .filter(({ job }) => job.status === "queued" && job.held?.by === by && job.tenant === tenant)
        .map(({ job }) => ({ id: job.id, key: createdKey(job) }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, limit)
        .map(({ id }) => id);
    },

    async bury(job, tombstone) {
      if (stored.get(job.id)?.job.version !== job.version) return false;
      stored.delete(job.id);
      tombstones.set(job.id, structuredClone(tombstone));
      return true;
    },

    async loadTombstone(id) {
      return structuredClone(tombstones.get(id) ?? null);
    },

    async writeTombstone(from, to) {
      if (tombstones.get(from.id)?.version !== from.version) return false;
      if (to) tombstones.set(from.id, structuredClone(to));
      else tombstones.delete(from.id);
      return true;
    },

    // They went with the job, and nothing is told of one that isn't there
    eraseRecords: () => Promise.resolve(),
  };
}

function keyed({ job, workedOut, fingerprint, defaultModel }: KeyedJob): KeyedJob {
  return structuredClone({ job, workedOut, fingerprint, defaultModel });
}

function createdKey({ createdAt, id }: Job): string {
  return `${String(createdAt).padStart(15, "0")}#${id}`;
}

function readCursor(cursor: string): string {
  const key = Buffer.from(cursor, "base64url").toString();
  if (/^\d{15}#job_/.test(key)) return key;
  throw new DomainError("invalid_cursor", "This cursor is none that a list gave", { field: "cursor" });
}
