import { scriptedModel } from "@plantain/memory/model";
import { sampleAnswer, sampleJob, sampleLimits, samplePolicy, sampleRunning } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { admit } from "../capacity/admit.ts";
import type { Limits } from "../capacity/limits.ts";
import type { Pools } from "../capacity/ports.ts";
import { cancel } from "./cancel.ts";
import { claim } from "./claim.ts";
import type { QueuedJob, RunningJob } from "./job.ts";
import { crashBudget } from "./policy.ts";
import type { Jobs } from "./ports.ts";
import { plenty, type World, world } from "./run-attempt.fixture.ts";
import { transition } from "./transition.ts";

const none: Limits = { ...sampleLimits, callsPerModel: 0 };
const tenant = "tenant:acme";
const model = "model:gemini-3-pro-image";

const start = () => world(scriptedModel(sampleAnswer()));
const taken = (w: World, about = {}) => claim({ ...w.ports, ...about }, w.job.id, plenty);
const stored = (w: World) => w.jobs.load(w.job.id);
const places = async ({ ports: { pools } }: World) =>
  Object.fromEntries(
    await Promise.all(
      ([tenant, model] as const).map(async (name) => [name, Object.values((await pools.load(name)).slots)]),
    ),
  );
const noPlace = { [tenant]: [], [model]: [] };

/** Has the job of a world come this far. */
async function becomes(w: World, about: Partial<QueuedJob>): Promise<QueuedJob> {
  const job: QueuedJob = { ...w.job, version: w.job.version + 1, ...about };
  await w.jobs.write(w.job, job);
  return job;
}
/** Its worker has died. */
async function lost(w: World, about: Partial<RunningJob> = {}): Promise<RunningJob> {
  const { id, createdAt, deadlineAt } = w.job;
  const job = sampleRunning({ id, createdAt, deadlineAt, leaseUntil: w.clock.now(), ...about });
  await w.jobs.write(w.job, job);
  return job;
}
/** Somebody is quicker than the first write. */
function beforeWrite(w: World, meanwhile: () => Promise<unknown>): Jobs {
  let isFirst = true;
  return {
    ...w.jobs,
    async write(...asked) {
      if (isFirst) {
        isFirst = false;
        await meanwhile();
      }
      return w.jobs.write(...asked);
    },
  };
}

describe("a claim", () => {
  it("takes the job, with a place at its tenant and its model for as long as the function may run", async () => {
    const w = await start();
    const came = await taken(w);
    expect(came).toMatchObject({ job: { status: "running", fence: 1 }, admission: { key: "key", calls: 1 } });
    const place = { fence: 1, calls: 1, until: w.clock.now() + plenty() };
    expect(await places(w)).toMatchObject({ [tenant]: [place], [model]: [place] });
  });

  it("of a job that isn't there, or no longer, keeps no place", async () => {
    const w = await start();
    expect(await claim(w.ports, sampleJob().id, plenty)).toBe("absent");
    const jobs: Jobs = { ...w.jobs, write: async () => ({ written: false, current: null }) };
    expect(await taken(w, { jobs })).toBe("absent");
    expect(await places(w)).toEqual(noPlace);
  });

  it("of a job that is gone by the second look keeps none either", async () => {
    const w = await start();
    let looks = 0;
    const load: Jobs["load"] = async (id) => {
      looks += 1;
      return looks === 1 ? w.jobs.load(id) : null;
    };
    const jobs: Jobs = { ...w.jobs, load, write: async () => ({ written: false, current: null }) };
    expect(await taken(w, { jobs })).toBe("absent");
    expect(await places(w)).toEqual(noPlace);
  });

  it("that goes well looks at the job once", async () => {
    const w = await start();
    let looks = 0;
    const load: Jobs["load"] = (id) => {
      looks += 1;
      return w.jobs.load(id);
    };
    expect(await taken(w, { jobs: { ...w.jobs, load } })).toMatchObject({ job: { fence: 1 } });
    expect(looks).toBe(1);
  });

  it("of a job that somebody has is left", async () => {
    const w = await start();
    await lost(w, { leaseUntil: w.clock.now() + 1 });
    expect(await taken(w)).toBe("leased");
    expect(await places(w)).toEqual(noPlace);
  });

  it("leaves its place to the duplicate that was quicker, since that is its very attempt", async () => {
    const w = await start();
    const jobs = beforeWrite(w, () => taken(w));
    expect(await taken(w, { jobs })).toBe("leased");
    expect(await places(w)).toMatchObject({ [tenant]: [{ fence: 1 }], [model]: [{ fence: 1 }] });
  });

  it("gives its place back where the job has come to a later attempt, or is over meanwhile", async () => {
    const later = await start();
    const jobs = beforeWrite(later, async () => {
      const other = sampleRunning({ id: later.job.id, fence: 2, leaseUntil: later.clock.now() + 1 });
      await later.jobs.write(later.job, other);
    });
    expect(await taken(later, { jobs })).toBe("leased");
    expect(await places(later)).toEqual(noPlace);

    const done = await start();
    const ended = beforeWrite(done, async () => {
      const at = done.clock.now();
      const { job } = await transition(done.jobs, done.job, { type: "claimed", at }, samplePolicy);
      if (job) await transition(done.jobs, job, { type: "succeeded", at, fence: 1 }, samplePolicy);
    });
    expect(await taken(done, { jobs: ended })).toBe("over");
    expect(await places(done)).toEqual(noPlace);

    const canceled = await start();
    const over = beforeWrite(canceled, () => cancel(canceled.ports, "acme", canceled.job.id));
    expect(await taken(canceled, { jobs: over })).toBe("over");
    expect(await places(canceled)).toEqual(noPlace);
  });

  it("ends a job that has brought down too many workers, and takes no place for that", async () => {
    const w = await start();
    await lost(w, { crashes: crashBudget });
    expect(await taken(w)).toBe("workers_lost");
    expect(await stored(w)).toMatchObject({ status: "failed", failure: { code: "internal" } });
    expect(await places(w)).toEqual(noPlace);
  });

  it("that was to end a job may find it given back after all, and then has no place to call", async () => {
    const w = await start();
    const job = await lost(w, { crashes: crashBudget });
    const at = w.clock.now();
    const fact = { type: "released", at, fence: 1, hasImages: false, held: null } as const;
    const jobs = beforeWrite(w, () => transition(w.jobs, job, fact, samplePolicy));
    expect(await taken(w, { jobs })).toMatchObject({
      job: { status: "running", fence: 2 },
      admission: { by: model, reason: "model_limit", since: at, until: null },
    });
  });

  it("ends a job whose deadline has passed", async () => {
    const w = await start();
    await w.clock.advance(w.job.deadlineAt - w.clock.now());
    expect(await taken(w)).toBe("expired");
    expect(await stored(w)).toMatchObject({ status: "failed", failure: { code: "deadline_exceeded" } });
  });
});

describe("a message for a job that is over", () => {
  it("gives back the place that was kept for a canceled one", async () => {
    const w = await start();
    await claim(
      { ...w.ports, jobs: beforeWrite(w, () => Promise.reject(new Error("Gone"))) },
      w.job.id,
      plenty,
    ).catch(() => undefined);
    expect(await places(w)).toMatchObject({ [tenant]: [{ fence: 1 }], [model]: [{ fence: 1 }] });
    await cancel(w.ports, "acme", w.job.id);
    expect(await taken(w)).toBe("over");
    expect(await places(w)).toEqual(noPlace);
  });

  it("gives back the place that was kept for one that has failed", async () => {
    const w = await start();
    await admit(w.ports, w.job, 1, w.clock.now() + 1e9);
    await w.clock.advance(w.job.deadlineAt - w.clock.now());
    await transition(w.jobs, w.job, { type: "expired", at: w.clock.now() }, samplePolicy);
    expect(await taken(w)).toBe("over");
    expect(await places(w)).toEqual(noPlace);
  });

  it("looks for none otherwise", async () => {
    const w = await start();
    const job = await lost(w);
    const at = w.clock.now();
    await transition(w.jobs, job, { type: "succeeded", at, fence: 1 }, samplePolicy);
    const load: Pools["load"] = () => Promise.reject(new Error("Nobody has to look"));
    expect(await taken(w, { pools: { ...w.ports.pools, load } })).toBe("over");
  });
});

describe("a message that comes too early", () => {
  it("is waited for in place where that is a matter of seconds", async () => {
    const w = await start();
    await becomes(w, { runAfter: w.clock.now() + 5_000 });
    let came: unknown = null;
    void taken(w).then((claimed) => {
      came = claimed;
    });
    await w.clock.advance(4_999);
    expect(came).toBeNull();
    await w.clock.advance(1);
    expect(came).toMatchObject({ job: { status: "running", claimedAt: w.clock.now() } });
  });

  it("is sent again for the right time where it isn't", async () => {
    const w = await start();
    await becomes(w, { runAfter: w.clock.now() + 5_001 });
    await w.queue.receive(1)?.message.ack();
    expect(await taken(w)).toBe("not_due");
    await w.clock.advance(5_000);
    expect(w.queue.receive(1)).toBeNull();
    await w.clock.advance(1);
    expect(w.queue.receive(1)?.jobId).toBe(w.job.id);
  });

  it("is sent again also where the job was put off only now", async () => {
    const w = await start();
    await w.queue.receive(1)?.message.ack();
    const jobs = beforeWrite(w, () => becomes(w, { runAfter: w.clock.now() + 50_000 }));
    expect(await taken(w, { jobs })).toBe("not_due");
    expect(await places(w)).toEqual(noPlace);
    await w.clock.advance(49_999);
    expect(w.queue.receive(1)).toBeNull();
    await w.clock.advance(1);
    expect(w.queue.receive(1)?.jobId).toBe(w.job.id);
  });

  it("is left to the sweep where no message can wait for so long", async () => {
    const w = await start();
    await becomes(w, { runAfter: w.clock.now() + 900_001 });
    expect(await taken(w)).toBe("not_due");
    expect(w.queue.size).toBe(1);
  });
});

describe("a job that there is no place for", () => {
  it("is held, and stands in line", async () => {
    const w = await start();
    expect(await taken(w, { limits: none })).toBe("held");
    const now = w.clock.now();
    expect(await stored(w)).toMatchObject({
      fence: 0,
      held: { by: model, reason: "model_limit", since: now, until: null },
    });
    expect((await w.ports.pools.load(model)).waiting).toMatchObject({ acme: { joinedAt: now } });
    expect(await places(w)).toEqual(noPlace);
  });

  it("stands in line also where it was held before", async () => {
    const w = await start();
    const since = w.clock.now() - 9;
    await becomes(w, { held: { by: model, reason: "model_limit", since, until: null } });
    expect(await taken(w, { limits: none })).toBe("held");
    expect(await stored(w)).toMatchObject({ held: { since } });
    expect((await w.ports.pools.load(model)).waiting).toHaveProperty("acme");
  });

  it("is looked at again where somebody was quicker", async () => {
    const w = await start();
    const canceled = beforeWrite(w, () => cancel(w.ports, "acme", w.job.id));
    expect(await taken(w, { jobs: canceled, limits: none })).toBe("over");
  });

  it("after its worker died is held too, and has that counted", async () => {
    const w = await start();
    await lost(w);
    expect(await taken(w, { limits: none })).toBe("held");
    expect(await stored(w)).toMatchObject({ status: "queued", crashes: 1, held: { by: model } });
  });

  it("is this worker's all the same where its last one may have stored what it paid for", async () => {
    const w = await start();
    await lost(w, { paying: [0] });
    expect(await taken(w, { limits: none })).toMatchObject({
      job: { status: "running", fence: 2 },
      admission: { by: model, reason: "model_limit" },
    });
  });

  it("ends where one worker too many has died over it meanwhile", async () => {
    const w = await start();
    const job = await lost(w, { crashes: crashBudget - 1 });
    const jobs = beforeWrite(w, () =>
      w.jobs.write(job, { ...job, crashes: crashBudget, version: job.version + 1 }),
    );
    expect(await taken(w, { jobs, limits: none })).toBe("workers_lost");
    expect(await stored(w)).toMatchObject({ status: "failed" });
  });
});
