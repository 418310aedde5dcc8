import { manualClock } from "@plantain/memory/clock";
import { memoryJobs } from "@plantain/memory/jobs";
import { memoryObjects } from "@plantain/memory/objects";
import { memoryPools } from "@plantain/memory/pools";
import { memoryQueue } from "@plantain/memory/queue";
import {
  sampleJob,
  sampleLimits,
  samplePolicy,
  sampleRequest,
  sampleRunning,
} from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { admit } from "../capacity/admit.ts";
import type { Pools } from "../capacity/ports.ts";
import { shardOf } from "../id.ts";
import type { Job, QueuedJob } from "./job.ts";
import { dueShards, type Jobs } from "./ports.ts";
import { type Swept, sweep } from "./sweep.ts";

const plenty = () => 600_000;
const nothing: Swept = { looked: 0, sent: 0, promoted: 0, expired: 0, purged: 0, faults: [] };

async function world(about: Partial<QueuedJob>[] = [{}]) {
  const clock = manualClock();
  const jobs = memoryJobs();
  const queue = memoryQueue(clock);
  const sent: { id: string; delay: number }[] = [];
  const ports = {
    jobs,
    clock,
    queue: {
      send: (job: QueuedJob, delay: number) => {
        sent.push({ id: job.id, delay });
        return queue.send(job, delay);
      },
    },
    pools: memoryPools(),
    limits: sampleLimits,
    policy: samplePolicy,
    objects: memoryObjects(),
  };
  const due = about.map((each) => sampleJob({ createdAt: clock.now(), dueAt: clock.now(), ...each }));
  for (const job of due) await jobs.create(job, sampleRequest(), null, clock.now());
  const swept = (leftMs = plenty, change: Partial<Jobs> = {}) =>
    sweep({ ...ports, jobs: { ...jobs, ...change } }, leftMs);
  const becomes = (job: Job, to: Job) => jobs.write(job, { ...to, id: job.id, version: job.version + 1 });
  return { clock, jobs, pools: ports.pools, ports, sent, due, swept, becomes };
}

describe("the sweep", () => {
  it("sends the message that a job should have had by now, once", async () => {
    const w = await world();
    expect(await w.swept()).toEqual({ ...nothing, looked: 1, sent: 1 });
    expect(w.sent).toMatchObject([{ delay: 0 }]);
    expect(await w.swept(), "the next look is later").toEqual(nothing);
  });

  it("finds jobs of every shard, and many of one", async () => {
    const w = await world(Array.from({ length: 250 }, () => ({})));
    const shards = new Set(w.due.map(({ id }) => shardOf(id, dueShards)));
    expect(shards.size).toBe(dueShards);
    const id = w.due[0]?.id ?? sampleJob().id;
    const crowd = Array.from({ length: 230 }, (_, at) =>
      sampleJob({ id: id.replace(/...(.)$/, `${String(at).padStart(3, "0")}$1`) as typeof id, dueAt: 0 }),
    );
    for (const job of crowd) await w.jobs.create(job, sampleRequest(), null, 0);
    expect(await w.swept()).toMatchObject({ looked: 480, sent: 480, faults: [] });
    expect(new Set(w.sent.map((each) => each.id)).size).toBe(480);
  });

  it("looks at ten jobs of a shard at once", async () => {
    const one = sampleJob();
    const w = await world(
      Array.from({ length: 25 }, (_, at) => ({
        id: one.id.replace(/..(.)$/, `${String(at).padStart(2, "0")}$1`) as typeof one.id,
      })),
    );
    let now = 0;
    let most = 0;
    const load: Jobs["load"] = async (id) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return w.jobs.load(id);
    };
    expect(await w.swept(plenty, { load })).toMatchObject({ looked: 25 });
    expect(most).toBe(10);
  });

  it("does a job once, though the index still shows it", async () => {
    const w = await world();
    const [job] = w.due;
    const due: Jobs["due"] = async (shard) =>
      job && shard === shardOf(job.id, dueShards) ? [{ id: job.id, dueAt: job.dueAt }] : [];
    expect(await w.swept(plenty, { due })).toMatchObject({ looked: 1, sent: 1 });
  });

  it("is told of what has just become due, and asks for a hundred at a time", async () => {
    const w = await world();
    const asked: number[][] = [];
    const due: Jobs["due"] = async (_shard, at, limit) => {
      asked.push([at, limit]);
      return [];
    };
    await w.swept(plenty, { due });
    expect(asked).toEqual(Array.from({ length: dueShards }, () => [w.clock.now(), 100]));
  });

  it("begins nothing in its last ten seconds", async () => {
    const w = await world();
    expect(await w.swept(() => 10_000)).toEqual(nothing);
    expect(await w.swept(() => 10_001)).toMatchObject({ sent: 1 });
  });

  it("begins no further ten of a shard in them either", async () => {
    const one = sampleJob();
    const w = await world(
      Array.from({ length: 25 }, (_, at) => ({
        id: one.id.replace(/..(.)$/, `${String(at).padStart(2, "0")}$1`) as typeof one.id,
      })),
    );
    let loaded = 0;
    const load: Jobs["load"] = (id) => {
      loaded += 1;
      return w.jobs.load(id);
    };
    const leftMs = () => (loaded < 10 ? plenty() : 10_000);
    expect(await w.swept(leftMs, { load })).toMatchObject({ looked: 10, sent: 10 });
    expect(await w.swept(), "the next sweep goes on").toMatchObject({ looked: 15, sent: 15 });
  });

  it("ends a job whose deadline has passed", async () => {
    const w = await world([{ deadlineAt: Date.UTC(2026, 10, 1) }]);
    expect(await w.swept()).toEqual({ ...nothing, looked: 1, expired: 1 });
    expect(w.sent).toEqual([]);
  });

  it("leaves a job alone that is somebody's, and sends for one whose worker died", async () => {
    const w = await world([{}, {}]);
    const [live, lost] = w.due;
    if (!live || !lost) throw new Error("There are two");
    const now = w.clock.now();
    await w.becomes(live, sampleRunning({ dueAt: now, leaseUntil: now + 1 }));
    await w.becomes(lost, sampleRunning({ dueAt: now, leaseUntil: now }));
    expect(await w.swept()).toEqual({ ...nothing, looked: 2, sent: 1 });
    expect(w.sent).toEqual([{ id: lost.id, delay: 0 }]);
  });

  it("sends for the right time, and not at all what it will find again by then", async () => {
    const now = Date.UTC(2026, 10, 1);
    const w = await world([
      { runAfter: now + 7_000 },
      { runAfter: now + 900_001, deadlineAt: now + 5_000_000 },
    ]);
    expect(await w.swept()).toEqual({ ...nothing, looked: 2, sent: 1 });
    expect(w.sent).toEqual([{ id: w.due[0]?.id, delay: 7_000 }]);
  });

  it("lets in a job that is held though there is a place", async () => {
    const now = Date.UTC(2026, 10, 1);
    const w = await world([{ held: { by: "tenant:acme", reason: "tenant_limit", since: now, until: null } }]);
    const found = w.swept();
    await w.clock.advance(1_000);
    expect(await found).toEqual({ ...nothing, looked: 1, promoted: 1 });
    expect(w.sent).toHaveLength(1);
  });

  it("looks after each line once, whoever speaks for it", async () => {
    const now = Date.UTC(2026, 10, 1);
    const byTenant = { by: "tenant:acme", reason: "tenant_limit", since: now, until: null } as const;
    const others = { ...byTenant, by: "model:m", reason: "model_limit" } as const;
    const w = await world([
      { held: byTenant },
      { held: byTenant },
      { held: others },
      { held: others, tenant: "globex" },
    ]);
    const asked: string[] = [];
    const load: Pools["load"] = (name) => {
      asked.push(name);
      return w.pools.load(name);
    };
    const limits = { ...sampleLimits, jobsPerTenant: 0, callsPerModel: 0 };
    const found = sweep({ ...w.ports, limits, pools: { ...w.pools, load } }, plenty);
    await w.clock.advance(10_000);
    expect(await found).toEqual({ ...nothing, looked: 4 });
    expect(asked.toSorted()).toEqual(["model:m", "model:m", "tenant:acme"]);
  });

  it("gives back the places that were kept for a job whose deadline has passed", async () => {
    const w = await world([{ deadlineAt: Date.UTC(2026, 10, 1) }]);
    const [job] = w.due;
    if (!job) throw new Error("There is one");
    await admit(w.ports, job, 1, w.clock.now() + 1e9);
    expect(await w.swept()).toMatchObject({ expired: 1 });
    expect((await w.pools.load("tenant:acme")).slots).toEqual({});
    expect((await w.pools.load(`model:${job.model}`)).slots).toEqual({});
  });

  it("passes over a job that is gone, and one that has moved on", async () => {
    const w = await world();
    const [job] = w.due;
    if (!job) throw new Error("There is one");
    expect(await w.swept(plenty, { load: async () => null })).toEqual(nothing);
    await w.becomes(job, { ...job, dueAt: w.clock.now() + 1 });
    const due: Jobs["due"] = async (shard) =>
      shard === shardOf(job.id, dueShards) ? [{ id: job.id, dueAt: job.dueAt }] : [];
    expect(await w.swept(plenty, { due })).toEqual({ ...nothing, looked: 1 });
    expect(w.sent).toEqual([]);
  });

  it("tells what went wrong with a job or a shard, and goes on with the others", async () => {
    const w = await world([{}, {}]);
    const [bad, good] = w.due;
    const unreadable = new Error("Unreadable");
    const throttled = new Error("Throttled");
    const load: Jobs["load"] = (id) => (id === bad?.id ? Promise.reject(unreadable) : w.jobs.load(id));
    const due: Jobs["due"] = (shard, ...rest) =>
      shard !== shardOf(bad?.id ?? "job_0", dueShards) && shard !== shardOf(good?.id ?? "job_0", dueShards)
        ? Promise.reject(throttled)
        : w.jobs.due(shard, ...rest);
    const { faults, ...counts } = await w.swept(plenty, { load, due });
    expect(counts).toMatchObject({ looked: 1, sent: 1 });
    expect(faults.filter((fault) => fault === unreadable)).toHaveLength(1);
    expect(faults.filter((fault) => fault === throttled).length).toBeGreaterThanOrEqual(14);
    expect(w.sent).toEqual([{ id: good?.id, delay: 0 }]);
  });
});
