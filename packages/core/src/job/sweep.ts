import { leaveUnclaimed } from "../capacity/admit.ts";
import type { CapacityPorts } from "../capacity/ports.ts";
import { standInLine } from "../capacity/promote.ts";
import type { JobId } from "../id.ts";
import { isClaimable, isFinished, messageDelayMs } from "./job.ts";
import { dueShards, type Objects } from "./ports.ts";
import { purge } from "./purge.ts";
import { transition } from "./transition.ts";

export type SweepPorts = CapacityPorts & { readonly objects: Objects };

export type Swept = {
  looked: number;
  sent: number;
  promoted: number;
  expired: number;
  purged: number;
  faults: unknown[];
};

const pageSize = 100;
const atOnce = 10;

/**
 * Finds every job that something should have happened to by now: a lost message, a lease that ran out, a long wait
 * that is over, a place that is free, a deadline; and what a deleted job has left. First the next look is written, then a
 * message is sent, so that no job is sent in a storm and none is forgotten. Ends early when `leftMs` says so; the next
 * sweep goes on. What goes wrong with one job or shard is told in `faults` and holds up no other.
 */
export async function sweep(ports: SweepPorts, leftMs: () => number): Promise<Swept> {
  const swept: Swept = { looked: 0, sent: 0, promoted: 0, expired: 0, purged: 0, faults: [] };
  const lines = new Set<string>();
  const note = (error: unknown) => void swept.faults.push(error);
  await Promise.all(
    Array.from({ length: dueShards }, (_, shard) =>
      sweepShard(ports, shard, leftMs, swept, lines).catch(note),
    ),
  );
  return swept;
}

const reserveMs = 10_000;

async function sweepShard(
  ports: SweepPorts,
  shard: number,
  leftMs: () => number,
  swept: Swept,
  lines: Set<string>,
): Promise<void> {
  const seen = new Set<JobId>();
  while (leftMs() > reserveMs) {
    const due = await ports.jobs.due(shard, ports.clock.now(), pageSize);
    const fresh = due.filter(({ id }) => !seen.has(id)); // the index lags behind our own writes
    if (fresh.length === 0) return;
    for (let from = 0; from < fresh.length && leftMs() > reserveMs; from += atOnce) {
      const some = fresh.slice(from, from + atOnce);
      for (const { id } of some) seen.add(id);
      await Promise.all(
        some.map(({ id }) =>
          sweepJob(ports, id, swept, lines).catch((error: unknown) => void swept.faults.push(error)),
        ),
      );
    }
  }
}

/** @param lines that were looked after in this sweep already: of ten thousand jobs in one, the first speaks for all */
async function sweepJob(ports: SweepPorts, id: JobId, swept: Swept, lines: Set<string>): Promise<void> {
  const { jobs, queue, clock, policy } = ports;
  const job = await jobs.load(id);
  if (!job) {
    if (await purge(ports, id)) swept.purged += 1;
    return;
  }
  swept.looked += 1;
  const at = clock.now();
  const looked = await transition(jobs, job, { type: "swept", at }, policy);
  if (looked.refused) return;
  if (isFinished(looked.job)) {
    swept.expired += 1;
    await leaveUnclaimed(ports, looked.job);
    return;
  }
  if (looked.job.status === "queued" && looked.job.held) {
    const line = `${looked.job.held.by} ${looked.job.tenant}`;
    if (lines.has(line)) return;
    lines.add(line);
    swept.promoted += await standInLine(ports, looked.job);
    return;
  }
  if (!isClaimable(looked.job, at)) return;
  const delay = looked.job.status === "queued" ? messageDelayMs(looked.job, at) : 0;
  if (delay === null) return;
  await queue.send(looked.job, delay);
  swept.sent += 1;
}
