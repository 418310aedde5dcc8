import type { PoolName } from "@plantain/core/capacity/held";
import type { JobId } from "@plantain/core/id";
import { isFinished, type Job } from "@plantain/core/job/job";
import type { Jobs, Written } from "@plantain/core/job/ports";
import { memoryJobs } from "@plantain/memory/jobs";
import type { Caller } from "./caller.ts";
import type { Dice } from "./dice.ts";
import { dueIndex } from "./due-index.ts";
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
  const dueOnes = dueIndex<JobId>({ timeline, dice }, lateIndex);
  /** The keys of held jobs by what holds them and tenant, oldest first, and in which of these lines each job is. */
  const lines = new Map<string, string[]>();
  const placed = new Map<JobId, string[]>();

  function index(job: Job): void {
    dueOnes.follow(job.id, job.id, isFinished(job) ? null : job.dueAt, () => lineUp(job));
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
      async bury(job, tombstone) {
        const isBuried = await truth.bury(job, tombstone);
        if (isBuried) {
          witness.buried(job.id);
          dueOnes.follow(job.id, job.id, tombstone.dueAt);
        }
        return isBuried;
      },
      async writeTombstone(from, to) {
        const isWritten = await truth.writeTombstone(from, to);
        if (isWritten) {
          if (to && to.purges > from.purges) witness.purged(to.id);
          dueOnes.follow(from.id, from.id, to?.dueAt ?? null);
        }
        return isWritten;
      },
      async settle(id, fence, calls) {
        await truth.settle(id, fence, calls);
        await witness.told(id);
      },
      due: (shard, at, limit) => Promise.resolve(dueOnes.due(shard, at, limit)),
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
