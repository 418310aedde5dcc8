import { modelPool, type PoolName } from "@plantain/core/capacity/held";
import type { Limits } from "@plantain/core/capacity/limits";
import type { Pool } from "@plantain/core/capacity/pool";
import { isJobId, type JobId } from "@plantain/core/id";
import { isFinished, type Job } from "@plantain/core/job/job";
import { firstCheckMs } from "@plantain/core/job/policy";
import type { Idempotency, JobQueue, Jobs, Records } from "@plantain/core/job/ports";
import type { JobRequest } from "@plantain/core/job/request";
import type { Caller } from "../caller.ts";
import type { Process } from "../process.ts";
import type { Timeline } from "../timeline.ts";
import type { Trace } from "../trace.ts";
import { type Bills, untold } from "./bills.ts";
import { type Entry, isPlainlyPaid, isUndisturbed } from "./ledger.ts";
import { type Closures, noteClosures, overfull, wasClosed } from "./places.ts";
import { isPromotion, wrongs } from "./transitions.ts";

export type Violation = { readonly invariant: string; readonly text: string };

/** A job as the witness has followed it. */
export type Seen = {
  job: Job;
  readonly request: JobRequest;
  readonly createdAt: number;
  endedAt: number | null;
  bills: Bills;
  /** How often it was held and let in again. */
  promotions: number;
  /** Since when nobody may be shown it, and how often all that it had was erased since. */
  deleted: { readonly at: number; purges: number } | null;
  /** The latest message that a sweep sent, and how the job stood. */
  swept: { readonly at: number; readonly state: string; readonly wasFrozen: boolean } | null;
};

/**
 * Looks on at every effect as it takes place and says what must never be. It knows the true time, the provider's books
 * and who did what; the code under test knows nothing of it.
 */
export type Witness = {
  readonly violations: Violation[];
  readonly jobs: ReadonlyMap<JobId, Seen>;
  readonly pictures: ReadonlyMap<string, string>;
  readonly ledger: Entry[];
  violate(invariant: string, text: string): void;
  created(job: Job, request: JobRequest, idempotency: Idempotency | null): void;
  wrote(caller: Caller, to: Job, records: Records): Promise<void>;
  /** The bill of one of the job's attempts was told. */
  told(id: JobId): Promise<void>;
  /** A pool of places was written. */
  pooled(pool: Pool): void;
  readonly pools: ReadonlyMap<PoolName, Pool>;
  called(entry: Entry): void;
  stored(key: string, sha256: string): void;
  removed(keys: readonly string[]): void;
  buried(id: JobId): void;
  purged(id: JobId): void;
  /** A sweep came to its own end, and was not killed on its way. */
  swept(): void;
  /** Somebody who may asked for the job to be deleted. */
  askedToDelete(id: JobId): void;
  /** URLs that failed to lead to a picture. */
  readonly deadUrls: Set<string>;
  /** A worker is killed at its timeout. */
  timedOut(worker: Process, begunAt: number): void;
  /** The queue as a sweep has it: what it sends is counted. */
  countingSweeps(sweeper: Process, queue: JobQueue): JobQueue;
  /** Somebody who may asked for the job's end. */
  askedToCancel(id: JobId): void;
};

/** Nobody can wait for a sweep that dies at its first question, again and again: that it is down is another alarm. */
const sweepsNeeded = 3;

/** The purge of a deleted job after which nobody is at work on it any more, but who was frozen for longer than it could be. */
export const lastPurge = 2;

/** How long an effect may take that is merely slow. */
const slowMs = 10_000;

/** How long after its deadline a job may still be open: the sweep runs each minute, and may fail at times. */
export const graceMs = 600_000;

/** @param sickUntil until when nothing can be done with a job, because its own item fails */
export function witness(
  timeline: Timeline,
  trace: Trace,
  truth: Jobs,
  { skewMs, limits, sickUntil }: { skewMs: number; limits: Limits; sickUntil: (id: JobId) => number },
): Witness {
  const violations: Violation[] = [];
  const jobs = new Map<JobId, Seen>();
  const keys = new Map<string, JobId>();
  const pictures = new Map<string, string>();
  const ledger: Entry[] = [];
  const deadUrls = new Set<string>();
  const sweeps: number[] = [];
  const canceling = new Set<JobId>();
  const deleting = new Set<JobId>();
  const pools = new Map<PoolName, Pool>();
  const closures: Closures = new Map();

  const violate = (invariant: string, text: string) => {
    trace.note("VIOLATION", `${invariant}: ${text}`);
    violations.push({ invariant, text });
  };

  /** The job that an object is of. */
  function ownerOf(key: string): Seen | undefined {
    const [, tenant, id] = key.split("/");
    const seen = id !== undefined && isJobId(id) ? jobs.get(id) : undefined;
    return seen?.job.tenant === tenant ? seen : undefined;
  }

  async function lookAtBills(id: JobId): Promise<void> {
    const seen = jobs.get(id);
    const record = await truth.read(id);
    if (!seen || !record) return;
    const { bills, lost } = untold(seen.bills, record.attempts);
    seen.bills = bills;
    for (const what of lost) violate("bill", `${id} forgot the bill of ${what}, which it had told`);
  }

  return {
    violations,
    jobs,
    pictures,
    ledger,
    deadUrls,
    violate,
    created(job, request, idempotency) {
      if (idempotency) {
        const name = `${job.tenant} ${idempotency.key}`;
        const holder = keys.get(name);
        if (holder) violate("I7", `${job.id} was made under the key of ${holder}`);
        keys.set(name, job.id);
      }
      const seen: Seen = {
        job,
        request,
        createdAt: timeline.now,
        endedAt: null,
        bills: new Map(),
        promotions: 0,
        deleted: null,
        swept: null,
      };
      jobs.set(job.id, seen);
      const look = () => {
        if (seen.endedAt !== null) return;
        const sweptSince = sweeps.filter((at) => at > job.deadlineAt + skewMs).length;
        const reachable = (sweptSince < sweepsNeeded ? timeline.now : sickUntil(job.id)) + graceMs;
        if (reachable > timeline.now) timeline.at(reachable, look);
        else violate("I1", `${job.id} is ${seen.job.status} ten minutes after its deadline`);
      };
      timeline.at(job.deadlineAt + skewMs + graceMs, look);
    },
    async wrote(caller, to, records) {
      const seen = jobs.get(to.id);
      if (!seen) return violate("I1", `${to.id} was written before it was created`);
      const before = seen.job;
      const now = timeline.now;
      trace.note(
        caller.process.name,
        `  ${to.id} is ${to.status} v${to.version} f${to.fence}${records.attempt ? `, attempt ${records.attempt.fence} ${records.attempt.ended}` : ""}`,
      );
      const result = to.status === "succeeded" ? ((await truth.read(to.id))?.result ?? null) : null;
      const { request } = seen;
      const isGone = (id: JobId) => jobs.get(id)?.deleted !== null;
      const context = { caller, now, skewMs, request, result, pictures, ledger, deadUrls, isGone };
      for (const { invariant, text } of wrongs(before, to, records, context)) violate(invariant, text);
      if (to.status === "canceled" && !canceling.has(to.id))
        violate("I12", `${to.id} was canceled though nobody who may asked for it`);
      follow(caller, before, to, now);
      seen.job = to;
      if (isPromotion(before, to)) seen.promotions += 1;
      if (isFinished(to)) seen.endedAt ??= now;
      if (records.attempt) await lookAtBills(to.id);
    },
    told: lookAtBills,
    pools,
    pooled(pool) {
      noteClosures(closures, pools.get(pool.name), pool, timeline.now);
      pools.set(pool.name, pool);
      for (const text of overfull(pool, limits)) violate("I10", text);
    },
    called(entry) {
      const paid = ledger.find(
        (other) => other.jobId === entry.jobId && other.index === entry.index && isPlainlyPaid(other),
      );
      if (paid)
        violate(
          "I6",
          `${entry.jobId} pays again for image ${entry.index}, which call #${paid.number} has paid for`,
        );
      ledger.push(entry);
      const model = jobs.get(entry.jobId)?.job.model;
      const beside = ledger.filter(
        (other) =>
          other.endedAt === null && isUndisturbed(other) && jobs.get(other.jobId)?.job.model === model,
      ).length;
      const seen = jobs.get(entry.jobId)?.job;
      const pool = model === undefined ? undefined : pools.get(modelPool(model));
      // Who was frozen between his look at the gate and his claim can't know that it closed
      const wasFrozen = entry.run.process.mishaps.length > 0;
      if (
        !wasFrozen &&
        seen?.status === "running" &&
        pool &&
        wasClosed(pool, limits, closures, seen.claimedAt, skewMs)
      )
        violate("gate", `${entry.jobId} was claimed and called though its model had been closed`);
      const most = limits.callsPerModel * limits.providerKeys.length;
      if (beside > most) violate("I10", `${beside} calls to ${model} are in flight, ${most} at most may be`);
    },
    stored(key, sha256) {
      const [, tenant, id = ""] = /^(?:meta|out)\/([^/]+)\/(job_[^/]+)\//.exec(key) ?? [];
      const ownTenant = isJobId(id) ? jobs.get(id)?.job.tenant : undefined; // none yet, of inputs
      if (tenant === undefined || (ownTenant ?? tenant) !== tenant)
        violate("I9", `${key} is nowhere that the lifecycle reaches`);
      // Whoever could still be at work then was frozen for longer than a function lives
      if ((ownerOf(key)?.deleted?.purges ?? 0) >= lastPurge) return;
      const there = pictures.get(key);
      if (there !== undefined && there !== sha256) violate("I3", `The bytes of ${key} changed`);
      pictures.set(key, sha256);
      const entry = ledger.find((each) => each.sha256 === sha256 && key.startsWith("out/"));
      if (entry) entry.storedAt ??= timeline.now;
    },
    removed(keys) {
      for (const key of keys) {
        if (!ownerOf(key)?.deleted) violate("I3", `${key} was removed, and its job is there`);
        pictures.delete(key);
      }
    },
    buried(id) {
      const seen = jobs.get(id);
      if (!seen) return violate("I1", `${id} was deleted before it was created`);
      if (!isFinished(seen.job)) violate("I1", `${id} was deleted though it was ${seen.job.status}`);
      if (!deleting.has(id)) violate("I12", `${id} was deleted though nobody who may asked for it`);
      seen.deleted = { at: timeline.now, purges: 0 };
      trace.note("table", `  ${id} is deleted`);
    },
    swept() {
      sweeps.push(timeline.now);
    },
    purged(id) {
      const deleted = jobs.get(id)?.deleted;
      if (!deleted) return violate("I3", `${id} was erased though it was not deleted`);
      deleted.purges += 1;
    },
    timedOut(worker, begunAt) {
      if (worker.mishaps.some(({ until }) => until >= begunAt)) return;
      violate("timeout", `${worker.name} was killed at its timeout though nothing had happened to it`);
    },
    countingSweeps: (sweeper, queue) => ({
      ...queue,
      send(job, delayMs) {
        const seen = jobs.get(job.id);
        const now = timeline.now;
        const wasFrozen = sweeper.mishaps.some(({ until }) => until > now - firstCheckMs);
        const state = `${seen?.job.status} at fence ${seen?.job.fence}, let in ${seen?.promotions} times`;
        const last = seen?.swept;
        if (
          !wasFrozen &&
          last &&
          !last.wasFrozen &&
          last.state === state &&
          now - last.at < firstCheckMs - 4 * skewMs - slowMs
        )
          violate("storm", `${job.id} was swept twice within ${now - last.at} ms`);
        if (seen) seen.swept = { at: now, state, wasFrozen };
        return queue.send(job, delayMs);
      },
    }),
    askedToCancel(id) {
      canceling.add(id);
    },
    askedToDelete(id) {
      deleting.add(id);
    },
  };
}

/** Keeps in mind what a run has claimed and is about to pay for. */
function follow({ run }: Caller, before: Job, to: Job, now: number): void {
  if (!run || to.status !== "running") return;
  if (to.fence > before.fence) {
    run.fence = to.fence;
    run.rechecked = null;
    run.called = 0;
  }
  const wasPaying = before.status === "running" ? before.paying : [];
  if (to.fence === run.fence && to.paying.length > 0 && wasPaying.length === 0) {
    run.rechecked = { at: now, paying: to.paying };
    run.called = 0;
  }
}
