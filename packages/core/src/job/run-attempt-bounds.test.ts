import { hanging, scriptedModel } from "@plantain/memory/model";
import { sampleAnswer, sampleLimits, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { cancel } from "./cancel.ts";
import type { Failure } from "./failure.ts";
import { expectedMemory, memoryBudget } from "./memory-budget.ts";
import type { Jobs, Objects } from "./ports.ts";
import { another, failing, plenty, record, type World, work, world } from "./run-attempt.fixture.ts";
import { runAttempt } from "./run-attempt.ts";

const { callMs, callMarginMs, beatVisibilityMs } = samplePolicy;
const overloaded: Failure = { code: "overloaded", message: "Busy", billed: "no" };
const one = expectedMemory(sampleRequest(), "1K", 0);

const calls = async (w: World) =>
  (await record(w, w.job.id)).attempts.map((attempt) => attempt.calls.map(({ index }) => index));
const reasons = async (w: World) => (await record(w, w.job.id)).attempts.map(({ reason }) => reason);
const slots = async ({ ports: { pools }, job }: World) =>
  Promise.all(
    ([`tenant:${job.tenant}`, `model:${job.model}`] as const).map(
      async (name) => Object.keys((await pools.load(name)).slots).length,
    ),
  );

describe("what an attempt takes, it gives back", () => {
  it("at its end, be it good or bad: places, memory, and the beat", async () => {
    const broken = () => Promise.reject(new Error("Bug"));
    const w = await world(scriptedModel(sampleAnswer(), broken, sampleAnswer()));
    const memory = memoryBudget(one);
    await work(w, { memory });
    expect(await slots(w)).toEqual([0, 0]);
    const second = await another(w);
    await expect(work(w, { memory })).rejects.toThrow("Bug");
    expect(await slots(w)).toEqual([0, 0]);
    await w.clock.advance(samplePolicy.leaseMs - 1);
    expect(await w.jobs.load(second.id), "nobody renews its lease").toMatchObject({
      status: "running",
      leaseUntil: w.clock.now() + 1,
    });
    await another(w);
    expect(await work(w, { memory })).toMatchObject({ ended: "succeeded" });
  });

  it("leaves nothing behind that would go on", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const received = w.queue.receive(1);
    if (!received) throw new Error("No message is visible");
    let awake = 0;
    const sleep: typeof w.clock.sleep = async (ms, signal) => {
      awake += 1;
      await w.clock.sleep(ms, signal);
      awake -= 1;
    };
    const clock = { ...w.clock, sleep };
    await runAttempt({ ...w.ports, clock }, received.jobId, received.message, plenty);
    expect(awake).toBe(0);
  });

  it("hides its message from others for a beat's time as soon as it comes", async () => {
    const w = await world(scriptedModel(hanging));
    const received = w.queue.receive(1);
    if (!received) throw new Error("No message is visible");
    const order: unknown[] = [];
    const extend = async (ms: number) => void order.push(ms);
    const load: Jobs["load"] = async (id) => {
      order.push("load");
      return w.jobs.load(id);
    };
    const jobs = { ...w.jobs, load };
    void runAttempt({ ...w.ports, jobs }, received.jobId, { ...received.message, extend }, plenty);
    await w.clock.advance(1);
    expect(order.slice(0, 2)).toEqual([beatVisibilityMs, "load"]);
  });
});

describe("an attempt has as much as is free", () => {
  it("of calls to the model, and leaves the other images to the next", async () => {
    const w = await world(scriptedModel(sampleAnswer("a"), sampleAnswer("b"), sampleAnswer("c")), {
      count: 3,
    });
    const limits = { ...sampleLimits, callsPerModel: 2 };
    expect(await work(w, { limits })).toEqual({ ended: "released", fence: 1 });
    expect(await work(w, { limits })).toEqual({ ended: "succeeded", fence: 2 });
    expect(await calls(w)).toEqual([[0, 1], [2]]);
    expect(await reasons(w)).toEqual(["model_limit", null]);
  });

  it("of calls to the model, also where there is memory for just as many", async () => {
    const w = await world(scriptedModel(sampleAnswer("a"), sampleAnswer("b")), { count: 3 });
    const limits = { ...sampleLimits, callsPerModel: 2 };
    expect(await work(w, { limits, memory: memoryBudget(2 * one) })).toMatchObject({ ended: "released" });
    expect(await reasons(w)).toEqual(["model_limit"]);
  });

  it("of memory, but one call at least", async () => {
    const w = await world(scriptedModel(sampleAnswer("a"), sampleAnswer("b")), { count: 2 });
    expect(await work(w, { memory: memoryBudget(one / 2) })).toMatchObject({ ended: "released" });
    expect(await calls(w)).toEqual([[0]]);
    expect(await reasons(w)).toEqual(["worker_memory"]);
    const exactly = await world(scriptedModel(sampleAnswer("a"), sampleAnswer("b")), { count: 2 });
    expect(await work(exactly, { memory: memoryBudget(2 * one) })).toMatchObject({ ended: "succeeded" });
  });

  it("of memory by the size that was asked for", async () => {
    const large = expectedMemory(sampleRequest(), "4K", 0);
    const memory = memoryBudget(2 * large - 1);
    const w = await world(scriptedModel(sampleAnswer("a"), sampleAnswer("b")), { count: 2, imageSize: "4K" });
    expect(await work(w, { memory })).toMatchObject({ ended: "released" });
    expect(await calls(w)).toEqual([[0]]);
  });

  it("of memory, and waits for what others have of it", async () => {
    const w = await world(scriptedModel(sampleAnswer()), { count: 2 });
    const memory = memoryBudget(2 * one);
    const free = await memory.reserve(1, new AbortController().signal);
    let isOver = false;
    const done = work(w, { memory }).finally(() => {
      isOver = true;
    });
    await w.clock.advance(10_000);
    expect(w.model.calls).toHaveLength(0);
    expect(isOver).toBe(false);
    free();
    expect(await done).toMatchObject({ ended: "succeeded" });
  });

  it("of time: a call and what comes after it have to fit", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const needed = callMs + callMarginMs;
    expect(await work(w, {}, () => needed - 1)).toMatchObject({ ended: "released" });
    expect(await calls(w)).toEqual([[]]);
    expect(await reasons(w)).toEqual(["function_time"]);
    expect(await work(w, {}, () => needed)).toMatchObject({ ended: "succeeded" });
  });

  it("of time: where the deadline passes before its call, it says so itself, and makes none", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    await w.jobs.write(w.job, { ...w.job, deadlineAt: w.clock.now() + 30_000, version: 2 });
    const memory = memoryBudget(2 * one);
    const free = await memory.reserve(2 * one, new AbortController().signal);
    const done = work(w, { memory });
    await w.clock.advance(30_000);
    free();
    const failure = {
      code: "deadline_exceeded",
      billed: "no",
      message: expect.stringContaining("could begin"),
    };
    expect(await done).toMatchObject({ ended: "failed", fence: 1, failure });
    expect((await record(w, w.job.id)).job).toMatchObject({
      status: "failed",
      failure,
      finishedAt: w.clock.now(),
    });
    expect(w.model.calls).toEqual([]);
    expect(w.queue.size).toBe(0);
  });

  it("of time: no call lasts longer than its job has", async () => {
    const w = await world(scriptedModel(hanging));
    await w.clock.advance(w.job.deadlineAt - w.clock.now() - 10_000);
    const done = work(w);
    await w.clock.advance(9_999);
    expect(await record(w, w.job.id)).toMatchObject({ job: { status: "running" } });
    await w.clock.advance(1);
    expect(await done).toMatchObject({ ended: "failed", failure: { code: "timeout" } });
    expect((await record(w, w.job.id)).job).toMatchObject({ failure: { code: "deadline_exceeded" } });
  });
});

describe("an attempt whose function is at its end", () => {
  it("stops five seconds before, and gives its message back", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const memory = memoryBudget(one);
    await memory.reserve(one, new AbortController().signal);
    let ended: unknown = null;
    void work(w, { memory }, () => 300_000).catch((error: unknown) => {
      ended = error;
    });
    await w.clock.advance(294_999);
    expect(ended).toBeNull();
    await w.clock.advance(1);
    expect(ended).toMatchObject({ message: expect.stringContaining("the function's time is over") });
    expect(w.queue.size).toBe(1);
    expect(await slots(w)).toEqual([0, 0]);
  });

  it("tells what it has paid by then, also where it couldn't store that", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const put: Objects["put"] = () => Promise.reject(new Error("Slow down"));
    const ended = expect(work(w, { objects: { ...w.objects, put } })).rejects.toThrow("Slow down");
    await w.clock.advance(plenty());
    await ended;
    await w.clock.advance(beatVisibilityMs);
    await work(w);
    const { attempts } = await record(w, w.job.id);
    expect(attempts[0]).toMatchObject({
      ended: "worker_lost",
      calls: [{ billed: "yes", cost: 136_810_000 }],
    });
  });
});

describe("the calls of an attempt", () => {
  it("are all waited for when one of them breaks, so that no bill is lost", async () => {
    const w = await world(
      scriptedModel(
        () => Promise.reject(new Error("Bug")),
        async (_call, signal) => {
          await w.clock.sleep(5_000, signal);
          return sampleAnswer();
        },
      ),
      { count: 2 },
    );
    const ended = expect(work(w)).rejects.toThrow("Bug");
    await w.clock.advance(samplePolicy.leaseMs + 5_000 + beatVisibilityMs);
    await ended;
    const done = work(w);
    await w.clock.advance(5_000);
    await done;
    const { attempts } = await record(w, w.job.id);
    expect(attempts[0]?.calls).toMatchObject([
      { index: 0, billed: "unknown" },
      { index: 1, billed: "yes", cost: 136_810_000 },
    ]);
    expect(attempts[1]?.calls).toMatchObject([{ index: 0, billed: "yes" }]);
  });

  it("are told with what is known of them, though not all is", async () => {
    const w = await world(
      scriptedModel(() => Promise.reject(new Error("Bug")), failing(overloaded)),
      {
        count: 2,
      },
    );
    await expect(work(w)).rejects.toThrow("Bug");
    await w.clock.advance(samplePolicy.leaseMs + beatVisibilityMs);
    await work(w);
    expect((await record(w, w.job.id)).attempts[0]).toMatchObject({
      ended: "worker_lost",
      calls: [
        { index: 0, billed: "unknown" },
        { index: 1, billed: "no", failure: overloaded },
      ],
    });
  });

  it("are told with the time at which their pictures were stored", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    await work(w);
    const { attempts } = await record(w, w.job.id);
    expect(attempts[0]?.calls).toMatchObject([{ storedAt: w.clock.now() }]);
  });

  it("are told with the time at which they began, though nothing is known of what they cost", async () => {
    const w = await world(scriptedModel(() => Promise.reject(new Error("Bug"))));
    const startedAt = w.clock.now();
    await expect(work(w)).rejects.toThrow("Bug");
    await cancel(w.ports, "acme", w.job.id);
    const { attempts } = await record(w, w.job.id);
    expect(attempts).toMatchObject([{ ended: "canceled", calls: [{ billed: "unknown", startedAt }] }]);
  });

  it("are told to nobody where none was begun", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const settle: Jobs["settle"] = () => Promise.reject(new Error("Nobody has to be told"));
    const read: Jobs["read"] = async (id) => {
      await cancel(w.ports, "acme", id);
      return w.jobs.read(id);
    };
    expect(await work(w, { jobs: { ...w.jobs, read, settle } })).toMatchObject({ ended: "lease_lost" });
  });

  it("tell the model's pool how they ended, however often that has to be tried", async () => {
    const w = await world(
      scriptedModel(failing({ ...overloaded, code: "rate_limited", retryAfterMs: 30_000 })),
    );
    const { pools } = w.ports;
    let faults = 0;
    const write: typeof pools.write = (from, to) => {
      const isAnswered = from.name.startsWith("model:") && Object.keys(to.slots).length === 0;
      if (isAnswered && faults < 2) {
        faults += 1;
        return Promise.reject(new Error("Throttled"));
      }
      return pools.write(from, to);
    };
    const start = w.clock.now();
    const done = work(w, { pools: { ...pools, write } });
    await w.clock.advance(1_000);
    expect(await done).toMatchObject({ ended: "retried", failure: { code: "rate_limited" } });
    const { gates } = await pools.load(`model:${w.job.model}`);
    expect(gates.key).toMatchObject({ closedUntil: start + 30_000, closedBy: "rate_limited" });
    const { job } = await record(w, w.job.id);
    if (job.status !== "queued") throw new Error("The job isn't queued");
    expect(job.runAfter, "it waits for the gate").toBeGreaterThanOrEqual(start + 30_000);
    expect(job.runAfter).toBeLessThan(start + 31_000);
  });
});

describe("an attempt", () => {
  it("that is the first looks for nothing that others left", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const list: Objects["list"] = () => Promise.reject(new Error("There can't be anything"));
    expect(await work(w, { objects: { ...w.objects, list } })).toMatchObject({ ended: "succeeded" });
  });

  it("that has no place gives back what its last worker didn't store, to wait for one", async () => {
    const w = await world(scriptedModel(hanging));
    const settle: Jobs["settle"] = () => Promise.resolve();
    const write: Jobs["write"] = (from, to, records) =>
      from.status === "running" && to.status === "running" && from.paying.length > 0
        ? Promise.reject(new Error("Gone"))
        : w.jobs.write(from, to, records);
    const dying = expect(work(w, { jobs: { ...w.jobs, settle, write } })).rejects.toThrow("beat_failed");
    await w.clock.advance(samplePolicy.leaseMs + beatVisibilityMs);
    await dying;
    const limits = { ...sampleLimits, callsPerModel: 0 };
    expect(await work(w, { limits })).toEqual({ ended: "released", fence: 2 });
    expect((await record(w, w.job.id)).job).toMatchObject({
      status: "queued",
      held: { by: `model:${w.job.model}`, reason: "model_limit" },
    });
    expect(w.model.calls).toHaveLength(1);
  });

  it("at a job that is gone meanwhile is over, and so is its message", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const jobs: Jobs = { ...w.jobs, read: async () => null };
    expect(await work(w, { jobs })).toEqual({ ended: "lease_lost", fence: 1 });
    expect(w.queue.size).toBe(0);
    expect(w.model.calls).toHaveLength(0);
  });

  it("says what it lacks: the model, or a reference image", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const registry = { ...w.ports.registry, find: () => null };
    expect((await work(w, { registry })).failure).toEqual({
      code: "provider_configuration",
      message: `This deployment doesn't know model "${w.job.model}" any more`,
      billed: "no",
    });
    const gone = { sha256: "0".repeat(64), mediaType: "image/png", bytes: 7, width: 1, height: 1 } as const;
    const v = await world(scriptedModel(sampleAnswer()), { images: [{ ...gone, source: null }] });
    expect((await work(v)).failure).toEqual({
      code: "input_unavailable",
      message: "A reference image no longer exists",
      billed: "no",
    });
  });
});
