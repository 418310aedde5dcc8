import { manualClock } from "@plantain/memory/clock";
import { memoryJobs } from "@plantain/memory/jobs";
import { memoryPools } from "@plantain/memory/pools";
import { memoryQueue } from "@plantain/memory/queue";
import { sampleJob, sampleLimits, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { Failure } from "../job/failure.ts";
import type { QueuedJob } from "../job/job.ts";
import { type Admission, admit, leaveUnclaimed } from "./admit.ts";
import { type Heard, newGate } from "./gate.ts";
import type { Held } from "./held.ts";
import type { Limits } from "./limits.ts";
import type { CapacityPorts, Pools } from "./ports.ts";
import { standInLine } from "./promote.ts";

const tenant = "tenant:acme";
const model = "model:gemini-3-pro-image";
const limited: Failure = { code: "rate_limited", message: "Slow down", billed: "no", retryAfterMs: 30_000 };

function world(about: Partial<Limits> = {}) {
  const clock = manualClock();
  const queue = memoryQueue(clock);
  const jobs = memoryJobs();
  const pools = memoryPools();
  const limits = { ...sampleLimits, ...about };
  const ports: CapacityPorts = { pools, limits, jobs, queue, clock, policy: samplePolicy };
  const until = clock.now() + 60_000;
  const asked = (job: QueuedJob, calls = 1, change: Partial<CapacityPorts> = {}) =>
    admit({ ...ports, ...change }, job, calls, until);
  const places = async () => [
    Object.entries((await pools.load(tenant)).slots),
    Object.entries((await pools.load(model)).slots),
  ];
  return { ...ports, clock, queue, asked, places, until };
}
function admitted(came: Admission | Held): Admission {
  if ("reason" in came) throw new Error(`Held by ${came.by}`);
  return came;
}
const heard = (at: number, failure: Failure | null): Heard => ({
  startedAt: at,
  answeredAt: at + 10,
  failure,
});

describe("an admission", () => {
  it("is a place among the tenant's jobs, and one for its calls at the model", async () => {
    const w = world({ callsPerModel: 3 });
    const job = sampleJob({ fence: 4 });
    expect(await w.asked(job, 4)).toMatchObject({ key: "key", calls: 3 });
    expect(await w.places()).toEqual([
      [[job.id, { fence: 5, key: expect.any(String), calls: 1, until: w.until }]],
      [[job.id, { fence: 5, key: "key", calls: 3, until: w.until }]],
    ]);
  });

  it("is refused where the tenant has as many jobs as it may", async () => {
    const w = world({ jobsPerTenant: 1 });
    const first = sampleJob();
    await w.asked(first);
    const now = w.clock.now();
    expect(await w.asked(sampleJob())).toEqual({
      by: tenant,
      reason: "tenant_limit",
      until: null,
      since: now,
    });
    expect((await w.places()).map((slots) => slots.map(([id]) => id))).toEqual([[first.id], [first.id]]);
  });

  it("that is refused by the tenant gives back the place that it came with at the model, to whoever waits there", async () => {
    const w = world({ jobsPerTenant: 1, callsPerModel: 2 });
    const job = sampleJob();
    admitted(await w.asked(job, 2));
    const slots = (await w.pools.load(tenant)).slots;
    const other = sampleJob();
    const before = await w.pools.load(tenant);
    await w.pools.write(before, {
      ...before,
      slots: { [other.id]: Object.values(slots)[0] },
      version: before.version + 1,
    });
    const held = { by: model, reason: "model_limit", since: w.clock.now(), until: null } as const;
    const waiting = sampleJob({ tenant: "globex", held });
    await w.jobs.create(waiting, sampleRequest(), null, w.clock.now());
    const isIn = standInLine(w, waiting);
    await w.clock.advance(2_000);
    await isIn;
    expect(w.queue.size).toBe(0);
    expect(await w.asked(job, 2)).toMatchObject({ by: tenant });
    expect((await w.places())[1]?.map(([id]) => id)).toEqual([waiting.id]);
    expect(w.queue.size).toBe(1);
  });

  it("is refused where the model can't be called, and then takes no place at the tenant either", async () => {
    const w = world({ callsPerModel: 0 });
    const held = { by: model, reason: "model_limit", until: null, since: w.clock.now() };
    expect(await w.asked(sampleJob())).toEqual(held);
    expect(await w.places()).toEqual([[], []]);
  });

  it("takes no place at the tenant either where the model's pool can't be reached, and says so", async () => {
    const w = world();
    const load: Pools["load"] = (name) =>
      name === model ? Promise.reject(new Error("Throttled")) : w.pools.load(name);
    const pools = { ...w.pools, load };
    await expect(w.asked(sampleJob(), 1, { pools })).rejects.toThrow("Throttled");
    expect(await w.places()).toEqual([[], []]);
  });

  it("that ends gives back what it has, and is no longer in the way of others", async () => {
    const w = world({ jobsPerTenant: 1, callsPerModel: 1 });
    const admission = admitted(await w.asked(sampleJob()));
    await admission.leave();
    expect(await w.places()).toEqual([[], []]);
    expect((await w.pools.load(model)).gates.key, "it has learnt nothing").toEqual(newGate(1));
    expect(await w.asked(sampleJob())).toMatchObject({ calls: 1 });
  });

  it("gives the place at the model back as soon as its calls are answered, and that at the tenant at its end", async () => {
    const w = world();
    const admission = admitted(await w.asked(sampleJob()));
    expect(await admission.answered([heard(w.clock.now(), null)])).toBe(w.clock.now());
    expect(await w.places()).toMatchObject([[expect.anything()], []]);
    await admission.leave();
    expect(await w.places()).toEqual([[], []]);
  });

  it("that has given its place back doesn't give back another's", async () => {
    const w = world();
    const job = sampleJob();
    const admission = admitted(await w.asked(job));
    await admission.answered([]);
    await w.asked(job);
    await admission.leave();
    expect(await w.places()).toMatchObject([[], [[job.id, { fence: 1 }]]]);
  });

  it("tells when the next call may be made, by how its own ended", async () => {
    const w = world();
    const admission = admitted(await w.asked(sampleJob()));
    const now = w.clock.now();
    expect(await admission.answered([heard(now, limited)])).toBe(now + 10 + 30_000);
    expect(await w.asked(sampleJob())).toMatchObject({ by: model, reason: "rate_limited", since: now });
  });

  it("lets in whoever waits for its place, and tells at its end what went wrong with that", async () => {
    const w = world({ callsPerModel: 1 });
    const admission = admitted(await w.asked(sampleJob()));
    const waiting = sampleJob({
      createdAt: w.clock.now(),
      held: { by: model, reason: "model_limit", since: 0, until: null },
    });
    await w.jobs.create(waiting, sampleRequest(), null, 0);
    const { pools } = w;
    const pool = await pools.load(model);
    const line = { acme: { since: 0, joinedAt: 0 } };
    await pools.write(pool, { ...pool, waiting: line, version: pool.version + 1 });
    await admission.answered([]);
    await admission.leave();
    expect(await w.jobs.load(waiting.id)).toMatchObject({ held: null });
    expect(w.queue.size).toBe(1);

    const v = world({ callsPerModel: 1 });
    const down = { ...v.jobs, held: () => Promise.reject(new Error("Throttled")) };
    const other = admitted(await v.asked(sampleJob(), 1, { jobs: down }));
    const there = await v.pools.load(model);
    await v.pools.write(there, { ...there, waiting: line, version: there.version + 1 });
    expect(await other.answered([]), "which holds up nothing before").toBe(v.clock.now());
    await expect(other.leave()).rejects.toThrow("Throttled");
    expect(await v.places()).toEqual([[], []]);
  });
});

describe("places that were taken for a job which was over before it was claimed", () => {
  it("are given back", async () => {
    const w = world();
    const job = sampleJob({ fence: 2 });
    await w.asked(job);
    await leaveUnclaimed(w, { ...job, fence: 3 });
    expect(await w.places(), "they are of another attempt").toMatchObject([[[job.id, {}]], [[job.id, {}]]]);
    await leaveUnclaimed(w, job);
    expect(await w.places()).toEqual([[], []]);
  });
});
