import { hanging, scriptedModel } from "@plantain/memory/model";
import { sampleAnswer, sampleLimits, samplePolicy } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { cancel } from "../job/cancel.ts";
import type { Failure } from "../job/failure.ts";
import type { Jobs } from "../job/ports.ts";
import { another, failing, plenty, record, work, world } from "../job/run-attempt.fixture.ts";
import { sweep } from "../job/sweep.ts";
import { admit } from "./admit.ts";
import type { Limits } from "./limits.ts";

const limited: Failure = {
  code: "rate_limited",
  message: "Slow down",
  billed: "no",
  retryAfterMs: 30_000,
};

const narrow: Limits = { ...sampleLimits, jobsPerTenant: 1 };

describe("a job that there is no place for", () => {
  it("is held before it is claimed, without attempt or message, and says by what", async () => {
    const w = await world(scriptedModel(hanging));
    const busy = work(w, { limits: narrow });
    await w.clock.advance(10);
    const second = await another(w);
    expect(await work(w, { limits: narrow })).toEqual({ ended: "held" });
    expect((await record(w, second.id)).job).toMatchObject({
      status: "queued",
      fence: 0,
      held: { by: "tenant:acme", reason: "tenant_limit", since: w.clock.now(), until: null },
    });
    expect(w.queue.size, "only the message of the running one is left").toBe(1);
    await cancel(w.ports, "acme", w.job.id);
    await w.clock.advance(20_000);
    await busy;
  });

  it("is let in with a place of its own when one is given back, the oldest first", async () => {
    const w = await world(scriptedModel(hanging, sampleAnswer()));
    const busy = work(w, { limits: narrow });
    await w.clock.advance(10);
    const second = await another(w);
    await work(w, { limits: narrow });
    await w.clock.advance(10);
    const third = await another(w);
    await work(w, { limits: narrow });
    await cancel(w.ports, "acme", w.job.id);
    await w.clock.advance(20_000);
    await busy;
    expect((await record(w, second.id)).job).toMatchObject({ status: "queued", held: null });
    expect((await record(w, third.id)).job).toMatchObject({ held: { by: "tenant:acme" } });
    const fourth = await another(w);
    expect(await work(w, { limits: narrow }), "the second has its message first").toMatchObject({
      ended: "succeeded",
    });
    expect((await record(w, second.id)).job.status).toBe("succeeded");
    expect(await work(w, { limits: narrow })).toMatchObject({ ended: "held" });
    expect((await record(w, fourth.id)).job, "the third was there before it").toMatchObject({ held: {} });
    expect(await work(w, { limits: narrow })).toMatchObject({ ended: "succeeded" });
    expect((await record(w, third.id)).job.status).toBe("succeeded");
  });

  it("is found by the sweep when nobody let it in", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const dead = () => new Promise<never>(() => undefined);
    void work(w, { limits: narrow, jobs: { ...w.jobs, read: dead } }, () => 50_000); // it died with its place
    await w.clock.advance(10);
    const second = await another(w);
    await work(w, { limits: narrow });
    await w.clock.advance(61_000);
    expect(await sweep({ ...w.ports, limits: narrow }, plenty)).toMatchObject({ promoted: 1 });
    expect((await record(w, second.id)).job).toMatchObject({ held: null });
  });

  it("is canceled like any other, and never let in", async () => {
    const w = await world(scriptedModel(hanging, sampleAnswer()));
    const busy = work(w, { limits: narrow });
    await w.clock.advance(10);
    const second = await another(w);
    await work(w, { limits: narrow });
    await cancel(w.ports, "acme", second.id);
    await cancel(w.ports, "acme", w.job.id);
    await w.clock.advance(20_000);
    await busy;
    expect(w.queue.receive(1)).toBeNull();
    await another(w);
    expect(await work(w, { limits: narrow }), "nobody waits any more").toMatchObject({ ended: "succeeded" });
  });

  it("and that ends at its deadline before any attempt gives back the places that were kept for it", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const late = await another(w, { deadlineAt: w.clock.now() + 5_000 });
    await admit(w.ports, late, 1, w.clock.now() + 600_000);
    await w.clock.advance(5_000);
    await work(w);
    expect(await work(w)).toEqual({ ended: "expired" });
    expect((await w.ports.pools.load("tenant:acme")).slots).toEqual({});
    expect((await w.ports.pools.load("model:gemini-3-pro-image")).slots).toEqual({});
  });

  it("past its deadline is ended by whoever would let it in", async () => {
    const w = await world(scriptedModel(hanging));
    const busy = work(w, { limits: narrow });
    await w.clock.advance(10);
    const second = await another(w, { deadlineAt: w.clock.now() + 5_000 });
    await work(w, { limits: narrow });
    await w.clock.advance(6_000);
    await cancel(w.ports, "acme", w.job.id);
    await w.clock.advance(20_000);
    await busy;
    expect((await record(w, second.id)).job).toMatchObject({
      status: "failed",
      failure: { code: "deadline_exceeded" },
    });
    expect((await w.ports.pools.load("tenant:acme")).slots).toEqual({});
  });

  it("fails at its deadline, and says what it waited for", async () => {
    const w = await world(scriptedModel(failing({ ...limited, code: "billing" })));
    await work(w);
    await w.clock.advance(1_000);
    const second = await another(w, { deadlineAt: w.clock.now() + 30_000 });
    expect(await work(w)).toEqual({ ended: "held" });
    await w.clock.advance(30_000);
    await sweep(w.ports, plenty);
    expect((await record(w, second.id)).job).toMatchObject({
      status: "failed",
      failure: { code: "deadline_exceeded", billed: "no", message: expect.stringContaining("billing") },
    });
  });
});

describe("a model that refuses everybody", () => {
  it("is left alone by all until the time it asked for; then one call goes to see", async () => {
    const w = await world(scriptedModel(failing(limited), sampleAnswer()));
    expect(await work(w)).toMatchObject({ ended: "retried", failure: { code: "rate_limited" } });
    const others = [await another(w), await another(w), await another(w)];
    for (const _ of others) expect(await work(w)).toEqual({ ended: "held" });
    expect(w.model.calls).toHaveLength(1);
    expect((await record(w, others[0]?.id ?? w.job.id)).job).toMatchObject({
      held: { by: "model:gemini-3-pro-image", reason: "rate_limited", until: w.clock.now() + 30_000 },
    });
    expect(w.queue.size, "the retry of the first, and one message to knock when the time is over").toBe(2);
    await w.clock.advance(32_000);
    expect(await work(w), "knocks").toMatchObject({ ended: "held" });
    expect(await work(w), "others wait, so the first of them goes").toMatchObject({ ended: "held" });
    expect(await work(w)).toMatchObject({ ended: "succeeded" });
    const open = await Promise.all([w.job, ...others].map(({ id }) => record(w, id)));
    expect(open.filter(({ job }) => job.status === "succeeded")).toHaveLength(1);
    expect(
      open.filter(({ job }) => job.status === "queued" && !job.held),
      "the next wave",
    ).toHaveLength(2);
  });

  it("is knocked at when its time is over, also when the job that closed it has come to its end", async () => {
    const w = await world(scriptedModel(failing(limited), sampleAnswer()));
    await work(w);
    const second = await another(w);
    await work(w);
    await cancel(w.ports, "acme", w.job.id);
    await w.clock.advance(30_000);
    expect(await work(w), "knocks").toMatchObject({ ended: "held" });
    const letIn = work(w);
    await w.clock.advance(1_000);
    expect(await letIn).toMatchObject({ ended: "succeeded" });
    expect((await record(w, second.id)).job.status).toBe("succeeded");
  });

  it("spends no budget, and fails no job before its deadline", async () => {
    const w = await world(scriptedModel(failing({ ...limited, code: "quota_exhausted" })));
    for (let spent = 0; spent < 5; spent += 1) {
      expect(await work(w)).toMatchObject({ ended: "retried" });
      await w.clock.advance(1_000_000);
      if (w.clock.now() >= w.job.deadlineAt) break;
    }
    expect(await work(w).catch(() => "no message")).toBeDefined();
    await sweep(w.ports, plenty);
    expect((await record(w, w.job.id)).job).toMatchObject({
      status: "failed",
      failure: { code: "deadline_exceeded" },
    });
  });

  it("is asked under another key at once, if there is one that it doesn't refuse", async () => {
    const limits: Limits = { ...sampleLimits, providerKeys: ["first", "second"] };
    const w = await world(scriptedModel(failing(limited), sampleAnswer()));
    expect(await work(w, { limits })).toMatchObject({ ended: "retried" });
    await w.clock.advance(3_000);
    expect(await work(w, { limits })).toMatchObject({ ended: "succeeded" });
    expect(w.model.calls.map(({ key }) => key)).toEqual(["first", "second"]);
  });
});

describe("what a dead worker has stored", () => {
  it("is used though there is no place to call for more", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const jobs: Jobs = {
      ...w.jobs,
      write: (from, to, records) =>
        to.status === "succeeded" ? Promise.reject(new Error("Gone")) : w.jobs.write(from, to, records),
    };
    const dying = expect(work(w, { jobs })).rejects.toThrow("Gone");
    await w.clock.advance(plenty());
    await dying;
    await w.clock.advance(samplePolicy.beatVisibilityMs + samplePolicy.leaseMs);
    const none: Limits = { ...sampleLimits, jobsPerTenant: 0, callsPerModel: 0 };
    expect(await work(w, { limits: none })).toMatchObject({ ended: "succeeded" });
    expect(w.model.calls).toHaveLength(1);
  });
});
