import { sampleJob, samplePolicy, sampleRunning } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { Held } from "../capacity/held.ts";
import { type FinishedJob, isClaimable, isLeased, messageDelayMs, newJob } from "./job.ts";

const now = Date.UTC(2026, 10, 1);
const held: Held = { by: "tenant:acme", reason: "tenant_limit", since: now, until: null };
const canceled: FinishedJob = { ...sampleJob(), status: "canceled", finishedAt: now };

describe("a new job", () => {
  const { id, tenant, model, count, notifies } = sampleJob();
  const about = { id, tenant, model, count, notifies, createdAt: now, deadlineAt: now + 1_800_000 };

  it("is due at once, has nothing to show, and is looked at when its message should have come", () => {
    expect(newJob(about, samplePolicy)).toMatchObject({
      ...about,
      status: "queued",
      runAfter: now,
      fence: 0,
      version: 1,
      held: null,
      hasImages: false,
      startedAt: null,
      dueAt: now + 60_000,
    });
  });

  it("is looked at by its deadline", () => {
    expect(newJob({ ...about, deadlineAt: now + 5 }, samplePolicy).dueAt).toBe(now + 5);
  });
});

describe("a message for a job", () => {
  it("is worth sending while nobody is on it and it isn't held", () => {
    expect(isClaimable(sampleJob(), now)).toBe(true);
    expect(isClaimable(sampleJob({ held }), now)).toBe(false);
    expect(isClaimable(sampleRunning({ leaseUntil: now + 1 }), now)).toBe(false);
    expect(isClaimable(sampleRunning({ leaseUntil: now }), now)).toBe(true);
    expect(isClaimable(canceled, now)).toBe(false);
  });

  it("waits until the job is due", () => {
    expect(messageDelayMs(sampleJob({ runAfter: now - 1 }), now)).toBe(0);
    expect(messageDelayMs(sampleJob({ runAfter: now + 7 }), now)).toBe(7);
    expect(messageDelayMs(sampleJob({ runAfter: now + 900_000 }), now), "as long as it can").toBe(900_000);
  });

  it("isn't needed where the sweep comes first, or whoever frees a place", () => {
    expect(messageDelayMs(sampleJob({ runAfter: now + 900_001 }), now)).toBeNull();
    expect(messageDelayMs(sampleJob({ runAfter: now + 9, deadlineAt: now + 9 }), now)).toBeNull();
    expect(messageDelayMs(sampleJob({ runAfter: now + 9, deadlineAt: now + 10 }), now)).toBe(9);
    expect(messageDelayMs(sampleJob({ held }), now)).toBeNull();
  });
});

describe("a lease", () => {
  it("lasts up to its end, and is of a running job", () => {
    expect(isLeased(sampleRunning({ leaseUntil: now + 1 }), now)).toBe(true);
    expect(isLeased(sampleRunning({ leaseUntil: now }), now)).toBe(false);
    expect(isLeased(sampleJob(), now)).toBe(false);
  });
});
