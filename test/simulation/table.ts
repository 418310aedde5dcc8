import type { PoolName } from "@plantain/core/capacity/held";
import { type JobId, shardOf } from "@plantain/core/id";
import { isFinished, type Job } from "@plantain/core/job/job";
import { type DueJob, dueShards, type Jobs, type Written } from "@plantain/core/job/ports";
import { memoryJobs } from "@plantain/memory/jobs";
import type { Caller } from "./caller.ts";
import type { Dice } from "./dice.ts";
import type { Repeats } from "./remote.ts";
import type { Timeline } from "./timeline.ts";
import type { Witness } from "./witness/witness.ts";

/** The jobs table: what `memoryJobs` means by the port, with an index that lags and a witness at every write. */
export type Table = {
  /** The table as one caller reaches it. */
  readonly serve: (caller: Caller) => Jobs;
  /** The table itself, for the witness. */
  readonly truth: Jobs;
};

const idLength = 30;

function keyOf({ createdAt, id }: Job): string {
  return `${String(createdAt).padStart(15, "0")}#${id}`;
}

export function table(
  { timeline, dice }: { timeline: Timeline; dice: Dice },
  lateIndex: number,
  witness: Witness,
  truth: Jobs = memoryJobs(),
): Table {
  const shards = Array.from({ length: dueShards }, () => new Map<JobId, number>());
  /** The keys of held jobs by what holds them and tenant, oldest first, and in which of these lines each job is. */
  const lines = new Map<string, string[]>();
  const placed = new Map<JobId, string[]>();
  const indexedAt = new Map<JobId, number>();

  /** The index follows each item in order, mostly at once, at times much later. */
  function index(job: Job): void {
    const lag = dice.chance(lateIndex) ? dice.between(1_000, 20_000) : dice.lognormal(50, 1);
    const at = Math.max(timeline.now + lag, indexedAt.get(job.id) ?? 0);
    indexedAt.set(job.id, at);
    timeline.at(at, () => {
      const shard = shards[shardOf(job.id, dueShards)];
      if (isFinished(job)) shard?.delete(job.id);
      else shard?.set(job.id, job.dueAt);
      lineUp(job);
    });
  }

  function due(shard: number, at: number, limit: number): DueJob[] {
    return [...(shards[shard] ?? [])]
      .map(([id, dueAt]) => ({ id, dueAt }))
      .filter(({ dueAt }) => dueAt <= at)
      .sort((a, b) => a.dueAt - b.dueAt)
      .slice(0, limit);
  }

  /** Puts a job where the index has it now, or takes it out. */
  function lineUp(job: Job): void {
    const before = placed.get(job.id);
    const now = job.status === "queued" && job.held ? `${job.held.by} ${job.tenant}` : null;
    if (before && now !== null && before === lines.get(now)) return;
    if (before) before.splice(before.indexOf(keyOf(job)), 1);
    placed.delete(job.id);
    if (now === null) return;
    const line = lines.get(now) ?? [];
    lines.set(now, line);
    placed.set(job.id, line);
    const key = keyOf(job);
    const at = line.findLastIndex((other) => other < key) + 1;
    line.splice(at, 0, key);
  }

  function held(by: PoolName, tenant: string, limit: number): JobId[] {
    return (lines.get(`${by} ${tenant}`) ?? []).slice(0, limit).map((key) => key.slice(-idLength) as JobId);
  }

  return {
    truth,
    serve: (caller) => ({
      ...truth,
      async create(job, request, idempotency, at) {
        const created = await truth.create(job, request, idempotency, at);
        if (created.created) {
          witness.created(job, request, idempotency);
          index(job);
        }
        return created;
      },
      async write(from, to, records) {
        const written = await truth.write(from, to, records);
        if (written.written) {
          await witness.wrote(caller, to, records ?? {});
          index(to);
        }
        return written;
      },
      async settle(id, fence, calls) {
        await truth.settle(id, fence, calls);
        await witness.told(id);
      },
      due: (shard, at, limit) => Promise.resolve(due(shard, at, limit)),
      held: (by, tenant, limit) => Promise.resolve(held(by, tenant, limit)),
    }),
  };
}

/**
 * How a repeated request ends in DynamoDB: a transaction counts once by its token; a single write meets its own write
 * id, or what somebody wrote upon it meanwhile.
 */
export const tableRepeats: Repeats = {
  create: (_args, first) => Promise.resolve(first),
  async write([, to, records], first, serve) {
    const ours = first as Written;
    if (!ours.written || records !== undefined) return first;
    const second = (await serve()) as Written;
    return !second.written && second.current?.version === (to as Job).version ? { written: true } : second;
  },
};
