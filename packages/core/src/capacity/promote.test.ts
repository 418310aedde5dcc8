import { manualClock } from "@plantain/memory/clock";
import { memoryJobs } from "@plantain/memory/jobs";
import { memoryPools } from "@plantain/memory/pools";
import { sampleJob, sampleLimits, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { JobId } from "../id.ts";
import { cancel } from "../job/cancel.ts";
import type { Fact, QueuedJob } from "../job/job.ts";
import type { Jobs } from "../job/ports.ts";
import { transition } from "../job/transition.ts";
import { newGate } from "./gate.ts";
import type { PoolName } from "./held.ts";
import type { Limits } from "./limits.ts";
import type { Pool, Waiting } from "./pool.ts";
import type { CapacityPorts, Pools } from "./ports.ts";
import { indexLagMs, mostAtOnce, promote, standInLine } from "./promote.ts";

const name = "model:m";
const unasked = () => Promise.reject(new Error("Nobody has to ask"));

function world(about: Partial<Limits> = {}) {
  const clock = manualClock();
  const jobs = memoryJobs();
  const pools = memoryPools();
  const sent: { id: JobId; delay: number }[] = [];
  const ports: CapacityPorts = {
    pools,
    limits: { ...sampleLimits, ...about },
    jobs,
    queue: { send: async ({ id }, delay) => void sent.push({ id, delay }) },
    clock,
    policy: samplePolicy,
  };
  const now = clock.now();

  /** A job that has waited for the model for so long. */
  async function held(ago: number, change: Partial<QueuedJob> = {}): Promise<QueuedJob> {
    const reason = { by: name, reason: "model_limit", since: now, until: null } as const;
    const job = sampleJob({
      model: "m",
      createdAt: now - ago,
      held: reason,
      deadlineAt: now + 1e9,
      ...change,
    });
    await jobs.create(job, sampleRequest(), null, now);
    return job;
  }
  /** Puts tenants into line, each of which was last served, and came, so long ago. */
  async function line(waiting: Record<string, number>, about: Partial<Pool> = {}): Promise<Pool> {
    const entries = Object.entries(waiting).map(([tenant, ago]): [string, Waiting] => [
      tenant,
      { since: now - ago, joinedAt: now - ago },
    ]);
    const from = await pools.load(name);
    const to = { ...from, waiting: Object.fromEntries(entries), ...about, version: from.version + 1 };
    await pools.write(from, to);
    return to;
  }
  const pool = () => pools.load(name);
  const isIn = async (job: QueuedJob) => {
    const found = await jobs.load(job.id);
    return found?.status === "queued" && found.held === null;
  };
  return { ...ports, clock, sent, now, held, line, pool, isIn };
}
type World = ReturnType<typeof world>;

/** The jobs of a world, where somebody is quicker than the first write. */
function beforeWrite({ jobs }: World, meanwhile: () => Promise<unknown>): Jobs {
  let isFirst = true;
  return {
    ...jobs,
    async write(...asked) {
      if (isFirst) {
        isFirst = false;
        await meanwhile();
      }
      return jobs.write(...asked);
    },
  };
}
const closed = (until: number) => ({
  key: { ...newGate(100), limit: 1, closedUntil: until, closedBy: "rate_limited" as const, strikes: 1 },
});

describe("a job that stands in line", () => {
  it("is let in at once where there is room, though the index doesn't show it yet", async () => {
    const w = world();
    const job = await w.held(0, { count: 2, fence: 3 });
    const jobs: Jobs = { ...w.jobs, held: async () => [] };
    const letIn = standInLine({ ...w, jobs }, job);
    await w.clock.advance(1_000);
    expect(await letIn).toBe(1);
    expect(await w.isIn(job)).toBe(true);
    expect(w.sent).toEqual([{ id: job.id, delay: 0 }]);
    expect(await w.pool()).toMatchObject({
      slots: { [job.id]: { fence: 4, calls: 2, until: w.now + 60_000 + 2 * 240_000 } },
      waiting: { acme: { since: w.now, joinedAt: w.now } },
    });
    expect((await w.pools.load("tenant:acme")).slots, "of a tenant's places a job needs one").toMatchObject({
      [job.id]: { fence: 4, calls: 1 },
    });
  });

  it("waits where there is none", async () => {
    const w = world({ callsPerModel: 0 });
    const job = await w.held(0);
    expect(await standInLine(w, job)).toBe(0);
    expect(await w.isIn(job)).toBe(false);
    expect((await w.pool()).waiting).toMatchObject({ acme: { joinedAt: w.now } });
    expect(w.sent).toEqual([]);
  });

  it("isn't one that nothing holds", async () => {
    const pools: Pools = { load: unasked, write: unasked };
    expect(await standInLine({ ...world(), pools }, sampleJob())).toBe(0);
  });
});

describe("a place that is free", () => {
  it("costs nothing while nobody waits", async () => {
    const w = world();
    const jobs: Jobs = { ...w.jobs, held: unasked };
    expect(await promote({ ...w, jobs }, await w.pool())).toBe(0);
  });

  it("goes to tenants in turn, and to the oldest job of each", async () => {
    const w = world({ callsPerModel: 3 });
    const old = await w.held(20);
    const older = await w.held(30);
    const [other, others] = [await w.held(10, { tenant: "b" }), await w.held(9, { tenant: "b" })];
    const reversed: Jobs["held"] = async (...asked) => (await w.jobs.held(...asked)).toReversed();
    const line = await w.line({ b: 5_000, acme: 6_000 });
    expect(await promote({ ...w, jobs: { ...w.jobs, held: reversed } }, line)).toBe(3);
    expect(w.sent.map(({ id }) => id)).toEqual([older.id, other.id, old.id]);
    expect(await w.isIn(others)).toBe(false);
  });

  it("goes to the oldest also where the newest is known", async () => {
    const w = world({ callsPerModel: 1 });
    const [old, young] = [await w.held(9), await w.held(0)];
    expect(await promote(w, await w.line({ acme: 5_000 }), young)).toBe(1);
    expect(w.sent).toEqual([{ id: old.id, delay: 0 }]);
  });

  it("is for a tenant's own jobs, not for another's that is known", async () => {
    const w = world({ callsPerModel: 1 });
    const [own, known] = [await w.held(0), await w.held(9, { tenant: "b" })];
    await promote(w, await w.line({ acme: 5_000 }), known);
    expect(w.sent.map(({ id }) => id)).toEqual([own.id]);
  });

  it("lets in so many at once, and leaves the rest to those", async () => {
    const w = world();
    for (let n = 0; n < mostAtOnce + 3; n += 1) await w.held(n);
    const gates = { key: { ...newGate(100), limit: 100 } };
    expect(await promote(w, await w.line({ acme: 5_000 }, { gates }))).toBe(mostAtOnce);
    expect(w.sent).toHaveLength(mostAtOnce);
  });

  it("looks at five jobs of a tenant, and passes over what no longer waits here", async () => {
    const w = world();
    const gone = await w.held(40);
    const elsewhere = await w.held(30);
    const waiting = await w.held(20);
    await cancel(w, "acme", gone.id);
    const by = { by: "tenant:acme", reason: "tenant_limit", since: w.now, until: null } as const;
    await transition(w.jobs, elsewhere, { type: "held", at: w.now, held: by }, samplePolicy);
    const asked: number[] = [];
    const held: Jobs["held"] = async (_by, _tenant, limit) => {
      asked.push(limit);
      return [sampleJob().id, gone.id, elsewhere.id, waiting.id];
    };
    const promoted = promote({ ...w, jobs: { ...w.jobs, held } }, await w.line({ acme: 20_000 }));
    await w.clock.advance(1_000);
    expect(await promoted).toBe(1);
    expect(w.sent).toEqual([{ id: waiting.id, delay: 0 }]);
    expect(new Set(asked)).toEqual(new Set([5]));
  });

  it("isn't there where somebody has taken it since", async () => {
    const w = world({ callsPerModel: 1 });
    const job = await w.held(0);
    const seen = await w.line({ acme: 20_000, b: 5_000 });
    const slot = { fence: 1, key: "key", calls: 1, until: w.now + 1 };
    await w.line({ acme: 20_000, b: 5_000 }, { slots: { [sampleJob().id]: slot } });
    const asked: string[] = [];
    const held: Jobs["held"] = (by, tenant, limit) => {
      asked.push(tenant);
      return w.jobs.held(by, tenant, limit);
    };
    expect(await promote({ ...w, jobs: { ...w.jobs, held } }, seen)).toBe(0);
    expect(asked, "nobody else is looked for then").toEqual(["acme"]);
    expect((await w.pool()).waiting, "and nobody loses his turn").toEqual(seen.waiting);
    expect(await w.isIn(job)).toBe(false);
    expect(w.sent).toEqual([]);
  });

  it("isn't there where its gate was closed since: whoever closed that has one of them knock", async () => {
    const w = world();
    await w.held(0);
    const seen = await w.line({ acme: 20_000 });
    await w.line({ acme: 20_000 }, { gates: closed(w.now + 30_000) });
    expect(await promote(w, seen)).toBe(0);
    expect(w.sent).toEqual([]);
    expect(await w.pool()).toMatchObject({ knockAt: 0 });
  });
});

describe("a tenant of which no job is found", () => {
  const waiting = async (w: World) => Object.keys((await w.pool()).waiting);

  it("leaves the line once the index would show one, and the next one has its turn", async () => {
    const w = world();
    const job = await w.held(0, { tenant: "b" });
    expect(await promote(w, await w.line({ acme: indexLagMs + 1_000, b: 5_000 }))).toBe(1);
    expect(w.sent).toEqual([{ id: job.id, delay: 0 }]);
    expect(await waiting(w)).toEqual(["b"]);
  });

  it("stays in line until then, and the next one has its turn all the same", async () => {
    const w = world();
    const job = await w.held(0, { tenant: "b" });
    expect(await promote(w, await w.line({ acme: indexLagMs + 999, b: 5_000 }))).toBe(1);
    expect(w.sent).toEqual([{ id: job.id, delay: 0 }]);
    expect(await waiting(w)).toEqual(["acme", "b"]);
  });

  it("that has just come is looked for three times, a quarter of a second apart", async () => {
    const w = world();
    const job = await w.held(0);
    const looks: number[] = [];
    const held: Jobs["held"] = async () => {
      looks.push(w.clock.now() - w.now);
      return looks.length === 3 ? [job.id] : [];
    };
    const promoted = promote({ ...w, jobs: { ...w.jobs, held } }, await w.line({ acme: 749 }));
    await w.clock.advance(500);
    expect(await promoted).toBe(1);
    expect(looks.slice(0, 3)).toEqual([0, 250, 500]);
    expect(w.sent).toHaveLength(1);
  });

  it("that has just come is looked for no more than three times", async () => {
    const w = world();
    let looks = 0;
    const held: Jobs["held"] = async () => {
      looks += 1;
      return [];
    };
    const promoted = promote({ ...w, jobs: { ...w.jobs, held } }, await w.line({ acme: 0 }));
    await w.clock.advance(10_000);
    expect(await promoted).toBe(0);
    expect(looks).toBe(3);
    expect(await waiting(w)).toEqual(["acme"]);
  });

  it("that came before is looked for once", async () => {
    const w = world();
    let looks = 0;
    const held: Jobs["held"] = async () => {
      looks += 1;
      return [];
    };
    expect(await promote({ ...w, jobs: { ...w.jobs, held } }, await w.line({ acme: 750 }))).toBe(0);
    expect(looks).toBe(1);
  });
});

describe("a line that several go through at once", () => {
  /** Each job that is about to be let in is let in by somebody else, for so many. */
  function outrun(w: World, times: number): Jobs {
    let left = times;
    return {
      ...w.jobs,
      async write(from, to, records) {
        if (left > 0) {
          left -= 1;
          await transition(w.jobs, from, { type: "promoted", at: w.now }, samplePolicy);
        }
        return w.jobs.write(from, to, records);
      },
    };
  }

  it("is gone on with behind those that others were quicker to let in", async () => {
    const w = world();
    for (let n = 0; n < 5; n += 1) await w.held(90 - n);
    const behind = await w.held(1);
    const jobs = outrun(w, 5);
    expect(await promote({ ...w, jobs }, await w.line({ acme: 20_000 }))).toBe(1);
    expect(w.sent).toEqual([{ id: behind.id, delay: 0 }]);
  });

  it("keeps a tenant of which others let in all that was found, for there may be more", async () => {
    const w = world();
    for (let n = 0; n < 20; n += 1) await w.held(90 - n);
    const jobs = outrun(w, 15);
    expect(await promote({ ...w, jobs }, await w.line({ acme: 20_000 }))).toBe(0);
    expect(Object.keys((await w.pool()).waiting)).toEqual(["acme"]);
  });

  it("keeps a tenant of which the index shows only what no longer waits", async () => {
    const w = world();
    const gone = await w.held(20);
    await cancel(w, "acme", gone.id);
    const held: Jobs["held"] = async () => [gone.id];
    const promoted = promote({ ...w, jobs: { ...w.jobs, held } }, await w.line({ acme: 20_000 }));
    await w.clock.advance(1_000);
    expect(await promoted).toBe(0);
    expect(Object.keys((await w.pool()).waiting)).toEqual(["acme"]);
  });

  it("is gone through by one at a time within a process, and once more for all that asked meanwhile", async () => {
    const w = world({ callsPerModel: 3 });
    for (let n = 0; n < 9; n += 1) await w.held(90 - n);
    let asked = 0;
    let writes = 0;
    const held: Jobs["held"] = (...about) => {
      asked += 1;
      return w.jobs.held(...about);
    };
    const pools: Pools = {
      ...w.pools,
      write: (...about) => {
        writes += 1;
        return w.pools.write(...about);
      },
    };
    const line = await w.line({ acme: 20_000 });
    const ports = { ...w, pools, jobs: { ...w.jobs, held } };
    const promoted = await Promise.all(Array.from({ length: 8 }, () => promote(ports, line)));
    expect(promoted).toEqual([3, 0, 0, 0, 0, 0, 0, 0]);
    expect(w.sent).toHaveLength(3);
    expect({ asked, writes }).toEqual({ asked: 3, writes: 6 });
  });

  it("is gone through once more for a job that came during the pass", async () => {
    const w = world();
    const [first, second] = [await w.held(9), await w.held(0, { tenant: "b" })];
    const jobs: Jobs = { ...w.jobs, held: async () => [] };
    const line = await w.line({ acme: 5_000, b: 5_000 });
    const promoted = Promise.all([
      promote({ ...w, jobs }, line, first),
      promote({ ...w, jobs }, line, second),
      promote({ ...w, jobs }, line, first),
    ]);
    await w.clock.advance(10_000);
    expect(await promoted).toEqual([1, 1, 0]);
    expect(w.sent.map(({ id }) => id)).toEqual([first.id, second.id]);
  });

  it("is gone through for all the jobs that came during a pass, by one of those that brought them", async () => {
    const w = world();
    const came = [await w.held(9), await w.held(8), await w.held(7), await w.held(6)];
    const jobs: Jobs = { ...w.jobs, held: async () => [] };
    const line = await w.line({ acme: 5_000 });
    const promoted = Promise.all(came.map((job) => promote({ ...w, jobs }, line, job)));
    await w.clock.advance(10_000);
    expect(await promoted).toEqual([1, 3, 0, 0]);
    expect(w.sent.map(({ id }) => id)).toEqual(came.map(({ id }) => id));
  });

  it("is gone through for five of those jobs at a time; any that waits no more makes room for the next", async () => {
    const w = world();
    const first = await w.held(99);
    const gone = [await w.held(9), await w.held(8), await w.held(7), await w.held(6)];
    const left = [await w.held(5), await w.held(4), await w.held(3)];
    for (const { id } of gone) await cancel(w, "acme", id);
    let now = 0;
    let most = 0;
    const load: Jobs["load"] = async (id) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return w.jobs.load(id);
    };
    const ports = { ...w, jobs: { ...w.jobs, load, held: async () => [] } };
    const line = await w.line({ acme: 5_000 });
    const promoted = Promise.all([first, ...gone, ...left].map((job) => promote(ports, line, job)));
    await w.clock.advance(10_000);
    expect(await promoted).toEqual([1, 3, 0, 0, 0, 0, 0, 0]);
    expect(w.sent.map(({ id }) => id)).toEqual([first, ...left].map(({ id }) => id));
    expect(most).toBe(5);
  });

  it("isn't waited for by anybody who sees nothing to do there", async () => {
    const w = world();
    await w.held(9);
    const held: Jobs["held"] = async (...about) => {
      await w.clock.sleep(9_000);
      return w.jobs.held(...about);
    };
    const line = await w.line({ acme: 5_000 });
    const ports = { ...w, jobs: { ...w.jobs, held } };
    const underWay = promote(ports, line);
    expect(await promote(ports, { ...line, waiting: {} })).toBe(0);
    await w.clock.advance(60_000);
    expect(await underWay).toBe(1);
  });

  it("isn't read again by whoever has just seen it, when no pass is under way", async () => {
    const w = world();
    const line = await w.line({ acme: 5_000 }, { gates: closed(w.now + 30_000) });
    const ports = { ...w, pools: { ...w.pools, load: unasked } };
    for (let pass = 1; pass <= 3; pass += 1) expect(await promote(ports, line)).toBe(0);
  });

  it("is free for the next once a pass has failed, and those that share one hear of it", async () => {
    const w = world();
    const job = await w.held(9);
    let isDown = true;
    const held: Jobs["held"] = async (...about) => {
      if (isDown) throw new Error("The index is down");
      return w.jobs.held(...about);
    };
    const line = await w.line({ acme: 5_000 });
    const ports = { ...w, jobs: { ...w.jobs, held } };
    const failed = await Promise.allSettled([1, 2, 3].map(() => promote(ports, line)));
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    isDown = false;
    expect(await promote(ports, line)).toBe(1);
    expect(w.sent).toEqual([{ id: job.id, delay: 0 }]);
  });
});

describe("a job that has a place here and none in its other pool", () => {
  const byTenant = (w: World) =>
    ({ by: "tenant:acme", reason: "tenant_limit", since: w.now, until: null }) as const;
  const stand = async (w: World, job: QueuedJob, change: Partial<CapacityPorts> = {}) => {
    const stood = standInLine({ ...w, ...change }, job);
    await w.clock.advance(1_000);
    return stood;
  };
  const at = async (w: World, pool: PoolName) => Object.keys((await w.pools.load(pool)).slots);

  it("waits for its model from now on, without a message, where that is closed; one knock goes for all", async () => {
    const w = world();
    await w.line({ globex: 20_000 }, { gates: closed(w.now + 30_000) });
    const jobs = [await w.held(9, { held: byTenant(w) }), await w.held(8, { held: byTenant(w) })];
    const [first] = jobs;
    for (const job of jobs) await stand(w, job);
    for (const { id } of jobs)
      expect(await w.jobs.load(id)).toMatchObject({
        status: "queued",
        held: { by: name, reason: "rate_limited", until: w.now + 30_000 },
      });
    expect(await at(w, "tenant:acme")).toEqual([]);
    expect(await at(w, name)).toEqual([]);
    expect(w.sent).toEqual([{ id: first?.id, delay: 30_000 }]);
    expect(Object.keys((await w.pool()).waiting).sort()).toEqual(["acme", "globex"]);
  });

  it("waits for its tenant from now on where that has its fill, and the place goes to the next in line", async () => {
    const w = world({ callsPerModel: 1, jobsPerTenant: 0 });
    const job = await w.held(9);
    const next = await w.held(8, { tenant: "globex" });
    const rich = { ...w, limits: { ...w.limits, jobsPerTenant: 1 } };
    const tenant = await w.pools.load("tenant:acme");
    const slot = { fence: 1, key: "jobs", calls: 1, until: w.now + 60_000 };
    const full = { ...tenant, version: 1, slots: { [sampleJob().id]: slot } };
    await w.pools.write(tenant, { ...full, waiting: { acme: { since: w.now, joinedAt: w.now } } });
    expect(await promote(rich, await w.line({ acme: 20_000, globex: 10_000 }))).toBe(1);
    expect(await w.jobs.load(job.id)).toMatchObject({ held: { by: "tenant:acme", reason: "tenant_limit" } });
    expect(await w.isIn(next)).toBe(true);
    expect(await at(w, name)).toEqual([next.id]);
    expect(await at(w, "tenant:globex")).toEqual([next.id]);
    expect(w.sent).toEqual([{ id: next.id, delay: 0 }]);
  });

  it("is not behind those of its own tenant that wait there, or neither line would ever let it in", async () => {
    const w = world();
    const job = await w.held(9);
    const tenant = await w.pools.load("tenant:acme");
    const waiting = { acme: { since: w.now - 9_000, joinedAt: w.now } };
    await w.pools.write(tenant, { ...tenant, version: 1, waiting });
    expect(await promote(w, await w.line({ acme: 20_000 }))).toBe(1);
    expect(await w.isIn(job)).toBe(true);
    expect((await w.pools.load("tenant:acme")).waiting, "which costs those no turn").toEqual(waiting);
  });

  it("is behind other tenants that wait for its model: where there is room, those are let in first", async () => {
    const w = world({ callsPerModel: 1 });
    const theirs = await w.held(20, { tenant: "globex" });
    await w.line({ globex: 400_000 });
    const job = await w.held(9, { held: byTenant(w) });
    expect(await stand(w, job)).toBe(0);
    expect(w.sent).toEqual([{ id: theirs.id, delay: 0 }]);
    expect(await w.jobs.load(job.id)).toMatchObject({ held: { by: name, reason: "model_limit" } });
  });

  it("is behind those also where others of its own tenant wait there too", async () => {
    const w = world({ callsPerModel: 1 });
    const theirs = await w.held(20, { tenant: "globex" });
    await w.line({ globex: 400_000, acme: 10_000 });
    const job = await w.held(9, { held: byTenant(w) });
    expect(await stand(w, job)).toBe(0);
    expect(w.sent).toEqual([{ id: theirs.id, delay: 0 }]);
    expect(await w.jobs.load(job.id)).toMatchObject({ held: { by: name, reason: "model_limit" } });
  });

  it("is let in where those that wait for its model are only said to", async () => {
    const w = world({ callsPerModel: 1 });
    await w.line({ globex: 20_000 });
    const job = await w.held(9, { held: byTenant(w) });
    await stand(w, job);
    expect(await w.isIn(job)).toBe(true);
    expect(w.sent).toEqual([{ id: job.id, delay: 0 }]);
  });

  it("isn't held again where somebody has let it in meanwhile", async () => {
    const w = world({ callsPerModel: 0 });
    const job = await w.held(9, { held: byTenant(w) });
    const jobs = beforeWrite(w, () => transition(w.jobs, job, { type: "promoted", at: w.now }, samplePolicy));
    await stand(w, job, { jobs });
    expect(await w.isIn(job)).toBe(true);
    expect((await w.pool()).waiting).toEqual({});
  });

  it("ends at its deadline, which has passed meanwhile", async () => {
    const w = world({ callsPerModel: 0 });
    const job = await w.held(9, { held: byTenant(w), deadlineAt: w.now - 1 });
    await stand(w, job);
    expect(await w.jobs.load(job.id)).toMatchObject({
      status: "failed",
      failure: { code: "deadline_exceeded" },
    });
    expect(await at(w, "tenant:acme")).toEqual([]);
  });

  it("is left alone where it has moved on meanwhile", async () => {
    const w = world({ callsPerModel: 0 });
    const job = await w.held(9, { held: byTenant(w) });
    const jobs = beforeWrite(w, () => cancel(w, "acme", job.id));
    await stand(w, job, { jobs });
    expect(await w.jobs.load(job.id)).toMatchObject({ status: "canceled" });
    expect((await w.pool()).waiting).toEqual({});
    expect(w.sent).toEqual([]);
  });

  it("is one of twenty at most that a pass deals with", async () => {
    const w = world({ callsPerModel: 0 });
    for (let n = 0; n < mostAtOnce + 5; n += 1) await w.held(90 - n, { held: byTenant(w) });
    const [some] = await w.jobs.held("tenant:acme", "acme", 1);
    const job = some && (await w.jobs.load(some));
    if (job?.status !== "queued") throw new Error("Nobody waits");
    await stand(w, job);
    expect(await w.jobs.held("tenant:acme", "acme", 100)).toHaveLength(5);
    expect(await w.jobs.held(name, "acme", 100)).toHaveLength(mostAtOnce);
    expect(w.sent).toEqual([]);
  });
});

describe("a job that has moved on by the time it is let in", () => {
  /** What is left of its slot, and whether a message was sent. */
  async function letIn(job: Partial<QueuedJob>, meanwhile: (w: World, job: QueuedJob) => Promise<unknown>) {
    const w = world();
    const waiting = await w.held(0, job);
    const jobs = beforeWrite(w, () => meanwhile(w, waiting));
    const promoted = await promote({ ...w, jobs }, await w.line({ acme: 20_000 }));
    expect(promoted, "nobody was let in").toBe(0);
    expect(w.sent).toEqual([]);
    const { slots, gates } = await w.pool();
    expect(gates.key ?? newGate(100), "which says nothing of the model").toEqual(newGate(100));
    return Object.values(slots).map((slot) => slot?.fence);
  }
  const happens = (fact: Fact) => (w: World, job: QueuedJob) => transition(w.jobs, job, fact, samplePolicy);
  const at = world().now;

  it("keeps the slot where somebody else let it in, or has claimed it", async () => {
    expect(await letIn({}, happens({ type: "promoted", at }))).toEqual([1]);
    expect(await letIn({}, happens({ type: "claimed", at }))).toEqual([1]);
  });

  it("needs none where it is over, or gone", async () => {
    expect(await letIn({}, happens({ type: "canceled", at }))).toEqual([]);
    const w = world();
    await w.held(0);
    const jobs: Jobs = { ...w.jobs, write: async () => ({ written: false, current: null }) };
    expect(await promote({ ...w, jobs }, await w.line({ acme: 20_000 }))).toBe(0);
    expect((await w.pool()).slots).toEqual({});
  });

  it("leaves its turn to the tenant's next one", async () => {
    const w = world();
    const [gone, next] = [await w.held(9), await w.held(0)];
    const jobs = beforeWrite(w, () => cancel(w, "acme", gone.id));
    expect(await promote({ ...w, jobs }, await w.line({ acme: 20_000 }))).toBe(1);
    expect(w.sent).toEqual([{ id: next.id, delay: 0 }]);
  });

  it("needs none where its deadline has passed, which is its end", async () => {
    expect(await letIn({ deadlineAt: at }, async () => undefined)).toEqual([]);
    const w = world();
    const job = await w.held(0, { deadlineAt: at });
    await promote(w, await w.line({ acme: 20_000 }));
    expect(await w.jobs.load(job.id)).toMatchObject({
      status: "failed",
      failure: { code: "deadline_exceeded" },
    });
  });

  it("needs none for this attempt where it has come to a later one", async () => {
    const facts: Fact[] = [
      { type: "claimed", at },
      { type: "released", at, fence: 1, hasImages: false, held: null },
      { type: "claimed", at },
    ];
    const later = async (w: World, { id }: QueuedJob) => {
      for (const fact of facts) {
        const job = await w.jobs.load(id);
        if (job) await transition(w.jobs, job, fact, samplePolicy);
      }
    };
    expect(await letIn({}, later)).toEqual([]);
  });
});

describe("a closed gate", () => {
  it("has one of those that wait knock when it opens, once", async () => {
    const w = world();
    const job = await w.held(0);
    const line = await w.line({ acme: 5_000 }, { gates: closed(w.now + 30_000) });
    expect(await promote(w, line)).toBe(0);
    expect(w.sent).toEqual([{ id: job.id, delay: 30_000 }]);
    expect(await w.pool()).toMatchObject({ knockAt: w.now + 30_000 });
    await promote(w, await w.pool());
    await promote(w, line);
    expect(w.sent, "somebody else has seen to it").toHaveLength(1);
    expect(await w.isIn(job)).toBe(false);
  });

  it("has the job knock that has just come, though the index doesn't show it yet", async () => {
    const w = world();
    const known = await w.held(0, { tenant: "b" });
    const jobs: Jobs = { ...w.jobs, held: async () => [] };
    const line = await w.line({ acme: 5_000, b: 0 }, { gates: closed(w.now + 30_000) });
    await promote({ ...w, jobs }, line, known);
    expect(w.sent).toEqual([{ id: known.id, delay: 30_000 }]);
  });

  it("has it knock also where others asked before it came, during the same pass", async () => {
    const w = world();
    const known = await w.held(0, { tenant: "b" });
    const jobs: Jobs = { ...w.jobs, held: async () => [] };
    const line = await w.line({ acme: 5_000, b: 0 }, { gates: closed(w.now + 30_000) });
    const ports = { ...w, jobs };
    await Promise.all([promote(ports, line), promote(ports, line), promote(ports, line, known)]);
    expect(w.sent).toEqual([{ id: known.id, delay: 30_000 }]);
  });

  it("has nobody knock where nobody waits, or no job is found", async () => {
    const w = world();
    await promote(w, await w.line({}, { gates: closed(w.now + 30_000) }));
    await promote(w, await w.line({ acme: 5_000 }, { gates: closed(w.now + 30_000) }));
    expect(w.sent).toEqual([]);
    expect(await w.pool()).toMatchObject({ knockAt: 0 });
  });

  it("is no reason to knock where the model is only busy", async () => {
    const w = world({ callsPerModel: 0 });
    await w.held(0);
    const jobs: Jobs = { ...w.jobs, held: unasked };
    expect(await promote({ ...w, jobs }, await w.line({ acme: 5_000 }))).toBe(0);
    expect(w.sent).toEqual([]);
  });
});
