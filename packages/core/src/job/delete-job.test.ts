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
import { DomainError } from "../error.ts";
import { sha256Hex } from "../hash.ts";
import { cancel } from "./cancel.ts";
import { deleteJob } from "./delete-job.ts";
import type { Fact } from "./job.ts";
import { imageKey, inputKey, outcomeKey } from "./keys.ts";
import type { Jobs, Objects } from "./ports.ts";
import { purge } from "./purge.ts";
import { sweep } from "./sweep.ts";
import { transition } from "./transition.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

/** A job that was canceled, with everything that a job can have, beside another's. */
async function world(change: (jobs: Jobs) => Partial<Jobs> = () => ({})) {
  const clock = manualClock();
  const memory = memoryJobs();
  const jobs = { ...memory, ...change(memory) };
  const objects = memoryObjects();
  const ports = {
    jobs,
    objects,
    clock,
    queue: memoryQueue(clock),
    pools: memoryPools(),
    limits: sampleLimits,
    policy: samplePolicy,
  };
  const job = sampleJob({ createdAt: clock.now() });
  const other = sampleJob({ createdAt: clock.now() });
  for (const each of [job, other]) await jobs.create(each, sampleRequest(), null, clock.now());
  const store = (key: string) =>
    objects.put(key, [new TextEncoder().encode(key)], { mediaType: "image/png", sha256: sha256Hex(key) });
  const keysOf = (each: typeof job) => [
    inputKey(each, "0".repeat(64)),
    outcomeKey(each, 1, 0),
    imageKey(each, 1, 0),
  ];
  for (const key of [...keysOf(job), ...keysOf(other)]) await store(key);
  await cancel(ports, "acme", job.id);
  const swept = (instead: Partial<Objects> = {}) =>
    sweep({ ...ports, objects: { ...objects, ...instead } }, () => 600_000);
  return { clock, jobs, objects, ports, job, other, keysOf, store, swept };
}

describe("a job that is over and deleted", () => {
  it("isn't there any more, at once; what it had is erased by the next sweep, and nothing else", async () => {
    const w = await world();
    await deleteJob(w.ports, "acme", w.job.id);
    expect(await w.jobs.read(w.job.id)).toBeNull();
    expect(await w.swept()).toMatchObject({ purged: 1, faults: [] });
    expect((await w.objects.list("")).toSorted()).toEqual(w.keysOf(w.other).toSorted());
  });

  it("gives back the places that it had, canceled before its message came", async () => {
    const w = await world();
    await admit(w.ports, w.other, 1, w.clock.now() + 1e9);
    await cancel(w.ports, "acme", w.other.id);
    expect(Object.keys((await w.ports.pools.load("tenant:acme")).slots)).toEqual([w.other.id]);
    await deleteJob(w.ports, "acme", w.other.id);
    for (const name of ["tenant:acme", `model:${w.other.model}`] as const)
      expect((await w.ports.pools.load(name)).slots).toEqual({});
  });

  it("had no place left after a success, so that no pool is asked", async () => {
    const w = await world();
    const { fence } = sampleRunning();
    const facts: Fact[] = [
      { type: "claimed", at: w.clock.now() },
      { type: "succeeded", at: w.clock.now(), fence },
    ];
    for (const fact of facts) {
      const job = await w.jobs.load(w.other.id);
      if (job) await transition(w.jobs, job, fact, samplePolicy);
    }
    const asked = () => Promise.reject(new Error("A pool was asked"));
    await deleteJob({ ...w.ports, pools: { load: asked, write: asked } }, "acme", w.other.id);
    expect(await w.jobs.loadTombstone(w.other.id)).toMatchObject({ fence });
  });

  it("may be deleted again, by its tenant, and by nobody else", async () => {
    const w = await world();
    const strangers = () => deleteJob(w.ports, "globex", w.job.id);
    await expect(strangers()).rejects.toMatchObject({
      code: "job_not_found",
      message: expect.stringContaining(w.job.id),
    });
    expect(await w.jobs.load(w.job.id)).not.toBeNull();
    await deleteJob(w.ports, "acme", w.job.id);
    await deleteJob(w.ports, "acme", w.job.id);
    await expect(strangers()).rejects.toMatchObject({ code: "job_not_found" });
  });

  it("is erased once more when nobody can be at work on it any more", async () => {
    const w = await world();
    await deleteJob(w.ports, "acme", w.job.id);
    await w.swept();
    await w.store(imageKey(w.job, 1, 3));
    await w.clock.advance(20 * minute - 1);
    expect(await w.swept()).toMatchObject({ purged: 0 });
    await w.clock.advance(1);
    expect(await w.swept()).toMatchObject({ purged: 1 });
    expect(await w.objects.list(`out/acme/${w.job.id}/`)).toEqual([]);
  });

  it("is forgotten after seven days", async () => {
    const w = await world();
    await deleteJob(w.ports, "acme", w.job.id);
    await w.swept();
    await w.clock.advance(20 * minute);
    await w.swept();
    await w.clock.advance(7 * day - 20 * minute - 1);
    expect(await w.swept()).toMatchObject({ purged: 0 });
    expect(await w.jobs.loadTombstone(w.job.id)).toMatchObject({ tenant: "acme", fence: 0, purges: 2 });
    await w.clock.advance(1);
    expect(await w.swept()).toMatchObject({ purged: 1 });
    expect(await w.jobs.loadTombstone(w.job.id)).toBeNull();
    await expect(deleteJob(w.ports, "acme", w.job.id)).rejects.toMatchObject({ code: "job_not_found" });
  });

  it("is erased later where that fails, and not in each sweep until then", async () => {
    const w = await world();
    await deleteJob(w.ports, "acme", w.job.id);
    const failing = { list: () => Promise.reject(new Error("S3 is down")) };
    expect((await w.swept(failing)).faults).toHaveLength(1);
    expect(await w.swept()).toMatchObject({ purged: 0, faults: [] });
    await w.clock.advance(5 * minute);
    expect(await w.swept()).toMatchObject({ purged: 1, faults: [] });
    expect(await w.objects.list(`out/acme/${w.job.id}/`)).toEqual([]);
  });

  it("is purged by one of two sweeps that meet", async () => {
    const w = await world();
    await deleteJob(w.ports, "acme", w.job.id);
    const both = await Promise.all([w.swept(), w.swept()]);
    expect(both.reduce((sum, { purged }) => sum + purged, 0)).toBe(1);
  });

  it("is not purged before that is due, whoever asks", async () => {
    const w = await world();
    await deleteJob(w.ports, "acme", w.job.id);
    expect(await purge(w.ports, w.job.id)).toBe(true);
    await w.store(imageKey(w.job, 1, 3));
    expect(await purge(w.ports, w.job.id)).toBe(false);
    expect(await w.objects.list(`out/acme/${w.job.id}/`)).toEqual([imageKey(w.job, 1, 3)]);
  });

  it("leaves something of which each version follows the last: the job's, then its own", async () => {
    const w = await world();
    const versions = [(await w.jobs.load(w.job.id))?.version];
    const note = async () => versions.push((await w.jobs.loadTombstone(w.job.id))?.version);
    await deleteJob(w.ports, "acme", w.job.id);
    await note();
    const begun = () => note().then(() => []);
    await purge({ ...w.ports, objects: { ...w.objects, list: begun } }, w.job.id);
    await note();
    // Two prefixes are listed between the beginning of a purge and its end
    expect(versions).toEqual([2, 3, 4, 4, 5]);
  });

  it("is deleted also where another write came between", async () => {
    let isFirst = true;
    const w = await world((jobs) => ({
      bury: async (job, tombstone) => {
        if (!isFirst) return jobs.bury(job, tombstone);
        isFirst = false;
        return false;
      },
    }));
    await deleteJob(w.ports, "acme", w.job.id);
    expect(await w.jobs.load(w.job.id)).toBeNull();
  });
});

describe("a job that is not over", () => {
  it("is not deleted: who wants that has to cancel it first", async () => {
    const w = await world();
    const deleted = deleteJob(w.ports, "acme", w.other.id);
    await expect(deleted).rejects.toThrow(DomainError);
    await expect(deleted).rejects.toMatchObject({
      code: "job_not_finished",
      message: expect.stringMatching(/queued; cancel it/),
    });
    expect(await w.jobs.load(w.other.id)).toMatchObject({ status: "queued" });
  });
});
