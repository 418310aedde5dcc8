import { sampleJob, samplePolicy, sampleRunning } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { Held } from "../capacity/held.ts";
import { advance } from "./advance.ts";
import type { Fact, Job } from "./job.ts";
import { crashBudget } from "./policy.ts";

const created = Date.UTC(2026, 10, 1);
const now = created + 100_000;
const byTenant: Held = { by: "tenant:acme", reason: "tenant_limit", since: now, until: null };
const byModel: Held = { by: "model:m", reason: "rate_limited", since: now, until: now + 90_000 };

function advanced(job: Job, fact: Fact): Job {
  const next = advance(job, fact, samplePolicy);
  if ("refused" in next) throw new Error(`Refused: ${next.refused}`);
  return next;
}

const hold = (job: Job, held: Held) => advanced(job, { type: "held", at: now, held });
const release = (job: Job, about: Partial<Extract<Fact, { type: "released" }>> = {}) =>
  advanced(job, { type: "released", at: now, fence: 1, hasImages: false, held: null, ...about });

describe("a job that is held", () => {
  it("says by what and since when, and spends nothing on it", () => {
    expect(hold(sampleJob({ runAfter: now - 5 }), byTenant)).toMatchObject({
      status: "queued",
      runAfter: now,
      held: byTenant,
      fence: 0,
      crashes: 0,
      spent: {},
      checks: 0,
    });
  });

  it("is looked at by the sweep after a minute, not before something may have changed, and at its deadline", () => {
    expect(hold(sampleJob(), byTenant)).toMatchObject({ dueAt: now + 60_000 });
    expect(hold(sampleJob(), byModel)).toMatchObject({ dueAt: now + 90_000 });
    expect(hold(sampleJob(), { ...byModel, until: now + 5 })).toMatchObject({ dueAt: now + 60_000 });
    expect(hold(sampleJob({ deadlineAt: now + 5 }), byModel)).toMatchObject({ dueAt: now + 5 });
  });

  it("has waited since it was first held, though by something else now", () => {
    const first = sampleJob({ held: { ...byTenant, since: created } });
    expect(hold(first, byModel)).toMatchObject({ held: { ...byModel, since: created } });
    const otherwise: Held = { ...byTenant, reason: "model_limit" };
    expect(hold(first, otherwise)).toMatchObject({ held: { ...otherwise, since: created } });
  });

  it("isn't written again for the same reason", () => {
    const again = advance(
      sampleJob({ held: byTenant }),
      { type: "held", at: now, held: { ...byTenant, since: now + 9 } },
      samplePolicy,
    );
    expect(again).toEqual({ refused: "held" });
  });

  it("after a worker died over it has that counted, and is failed when it was one too many", () => {
    const lost = sampleRunning({ leaseUntil: now });
    expect(hold(lost, byModel)).toMatchObject({ status: "queued", crashes: 1, held: byModel });
    expect(hold({ ...lost, crashes: crashBudget }, byModel)).toMatchObject({
      status: "failed",
      failure: { code: "internal" },
    });
  });

  it("is due when it is let in, and its message is expected soon", () => {
    const job = sampleJob({ held: byModel, runAfter: created, checks: 3 });
    expect(advanced(job, { type: "promoted", at: now })).toMatchObject({
      status: "queued",
      runAfter: now,
      held: null,
      dueAt: now + 60_000,
      checks: 0,
    });
  });
});

describe("a job that its worker gives back", () => {
  it("is due at once, without anything spent", () => {
    expect(release(sampleRunning({ spent: { timeout: 1 } }))).toMatchObject({
      status: "queued",
      runAfter: now,
      held: null,
      spent: { timeout: 1 },
      crashes: 0,
      dueAt: now + 60_000,
    });
  });

  it("may have to wait for a place, and is looked at meanwhile", () => {
    const held = release(sampleRunning(), { held: byModel });
    expect(held).toMatchObject({ status: "queued", runAfter: now, held: byModel, dueAt: now + 60_000 });
    const soonOver = release(sampleRunning({ deadlineAt: now + 5 }), { held: byModel });
    expect(soonOver).toMatchObject({ dueAt: now + 5 });
  });

  it("keeps in mind that it has images", () => {
    expect(release(sampleRunning())).toMatchObject({ hasImages: false });
    expect(release(sampleRunning(), { hasImages: true })).toMatchObject({ hasImages: true });
    expect(release(sampleRunning({ hasImages: true }))).toMatchObject({ hasImages: true });
  });
});
