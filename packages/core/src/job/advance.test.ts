import { sampleJob, samplePolicy, sampleRunning } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { Held } from "../capacity/held.ts";
import { advance } from "./advance.ts";
import type { Failure } from "./failure.ts";
import type { Fact, FinishedJob, Job, Refusal } from "./job.ts";
import { crashBudget } from "./policy.ts";

const created = Date.UTC(2026, 10, 1);
const now = created + 100_000;
const deadline = created + 1_800_000;
const overloaded: Failure = { code: "overloaded", message: "The model is overloaded", billed: "no" };
const blocked: Failure = { code: "content_blocked.prompt", message: "Refused", billed: "no" };

const byTenant: Held = { by: "tenant:acme", reason: "tenant_limit", since: created, until: null };
const byModel: Held = { by: "model:m", reason: "model_limit", since: now, until: null };

const finished = (status: "succeeded" | "canceled"): FinishedJob => {
  const { runAfter: _, dueAt: __, checks: ___, ...job } = sampleJob({ fence: 1 });
  return { ...job, status, finishedAt: now };
};
const failed: FinishedJob = { ...finished("canceled"), status: "failed", failure: blocked };

const statuses: Record<string, Job> = {
  "queued and due": sampleJob({ runAfter: now - 1, dueAt: now - 1 }),
  "queued for later": sampleJob({ runAfter: now + 60_000, dueAt: now + 120_000, fence: 1 }),
  "queued past its deadline": sampleJob({ deadlineAt: now }),
  held: sampleJob({ held: byTenant, dueAt: now - 1 }),
  "held past its deadline": sampleJob({ held: byTenant, deadlineAt: now }),
  "running, lease live": sampleRunning({ leaseUntil: now + 1, dueAt: now - 1 }),
  "running, lease over": sampleRunning({ leaseUntil: now, dueAt: now - 1, paying: [0] }),
  "running past its deadline": sampleRunning({ leaseUntil: now + 1, deadlineAt: now, dueAt: now }),
  "lost past its deadline": sampleRunning({ leaseUntil: now, deadlineAt: now, dueAt: now }),
  succeeded: finished("succeeded"),
  failed,
  canceled: finished("canceled"),
};

const facts: Record<string, Fact> = {
  claimed: { type: "claimed", at: now },
  "held by its tenant": { type: "held", at: now, held: byTenant },
  "held by its model": { type: "held", at: now, held: byModel },
  promoted: { type: "promoted", at: now },
  "beaten by its owner": { type: "beaten", at: now, fence: 1 },
  "beaten by a stale fence": { type: "beaten", at: now, fence: 7 },
  "rechecked by its owner": { type: "rechecked", at: now, fence: 1, paying: [0] },
  "rechecked by a stale fence": { type: "rechecked", at: now, fence: 7, paying: [0] },
  "released by its owner": { type: "released", at: now, fence: 1, hasImages: false, held: null },
  "released by a stale fence": { type: "released", at: now, fence: 7, hasImages: false, held: null },
  "succeeded by its owner": { type: "succeeded", at: now, fence: 1 },
  "succeeded by a stale fence": { type: "succeeded", at: now, fence: 7 },
  "attempt failed, may pass": {
    type: "attempt_failed",
    at: now,
    fence: 1,
    failures: [overloaded],
    hasImages: false,
    opensAt: null,
    random: 0,
  },
  "attempt failed for good": {
    type: "attempt_failed",
    at: now,
    fence: 1,
    failures: [blocked],
    hasImages: false,
    opensAt: null,
    random: 0,
  },
  "attempt failed by a stale fence": {
    type: "attempt_failed",
    at: now,
    fence: 7,
    failures: [blocked],
    hasImages: false,
    opensAt: null,
    random: 0,
  },
  canceled: { type: "canceled", at: now },
  expired: { type: "expired", at: now },
  swept: { type: "swept", at: now },
};

const unfinished = [
  "queued and due",
  "queued for later",
  "queued past its deadline",
  "held",
  "held past its deadline",
  "running, lease live",
  "running, lease over",
  "running past its deadline",
  "lost past its deadline",
];
const queued = unfinished.slice(0, 5);
const running = unfinished.slice(5);

const mayBeHeld = {
  "queued and due": "queued",
  "queued for later": "not_due",
  "queued past its deadline": "deadline_passed",
  held: "queued",
  "held past its deadline": "deadline_passed",
  "running, lease live": "leased",
  "running, lease over": "queued",
  "running past its deadline": "leased",
  "lost past its deadline": "deadline_passed",
};

/** The whole table: what becomes of each status at each fact. */
const table: Record<string, Record<string, string>> = {
  claimed: {
    "queued and due": "running",
    "queued for later": "not_due",
    "queued past its deadline": "deadline_passed",
    held: "running",
    "held past its deadline": "deadline_passed",
    "running, lease live": "leased",
    "running, lease over": "running",
    "running past its deadline": "leased",
    "lost past its deadline": "deadline_passed",
  },
  "held by its tenant": { ...mayBeHeld, held: "held" },
  "held by its model": mayBeHeld,
  promoted: { ...same(unfinished, "not_held"), held: "queued", "held past its deadline": "deadline_passed" },
  "beaten by its owner": { ...same(queued, "lease_lost"), ...same(running, "running") },
  "beaten by a stale fence": same(unfinished, "lease_lost"),
  "rechecked by its owner": {
    ...same(queued, "lease_lost"),
    "running, lease live": "running",
    "running, lease over": "running",
    "running past its deadline": "deadline_passed",
    "lost past its deadline": "deadline_passed",
  },
  "rechecked by a stale fence": same(unfinished, "lease_lost"),
  "released by its owner": { ...same(queued, "lease_lost"), ...same(running, "queued") },
  "released by a stale fence": same(unfinished, "lease_lost"),
  "succeeded by its owner": { ...same(queued, "lease_lost"), ...same(running, "succeeded") },
  "succeeded by a stale fence": same(unfinished, "lease_lost"),
  "attempt failed, may pass": {
    ...same(queued, "lease_lost"),
    "running, lease live": "queued",
    "running, lease over": "queued",
    "running past its deadline": "failed",
    "lost past its deadline": "failed",
  },
  "attempt failed for good": { ...same(queued, "lease_lost"), ...same(running, "failed") },
  "attempt failed by a stale fence": same(unfinished, "lease_lost"),
  canceled: same(unfinished, "canceled"),
  expired: {
    ...same(unfinished, "not_due"),
    "queued past its deadline": "failed",
    "held past its deadline": "failed",
    "running, lease live": "leased",
    "running past its deadline": "leased",
    "lost past its deadline": "failed",
  },
  swept: {
    "queued and due": "queued",
    "queued for later": "not_due",
    "queued past its deadline": "failed",
    held: "queued",
    "held past its deadline": "failed",
    "running, lease live": "running",
    "running, lease over": "running",
    "running past its deadline": "running",
    "lost past its deadline": "failed",
  },
};

function same(names: readonly string[], outcome: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, outcome]));
}

function outcomeOf(next: Job | Refusal): string {
  return "refused" in next ? next.refused : next.status;
}

describe("advance, for every status and fact", () => {
  const rows = Object.entries(statuses).flatMap(([status, job]) =>
    Object.entries(facts).map(([name, fact]) => ({ status, job, name, fact })),
  );
  it.each(rows)("$status, $name", ({ status, job, name, fact }) => {
    const expected = unfinished.includes(status) ? table[name]?.[status] : "over";
    const next = advance(job, fact, samplePolicy);
    expect(outcomeOf(next)).toBe(expected);
    if (!("refused" in next)) expect(next.version).toBe(job.version + 1);
  });
});

/** For tests of what a transition writes. */
function advanced(job: Job, fact: Fact): Job {
  const next = advance(job, fact, samplePolicy);
  if ("refused" in next) throw new Error(`Refused: ${next.refused}`);
  return next;
}

describe("a claim", () => {
  it("takes the next fence and a lease, and has the sweep look when the lease would end", () => {
    const job = advanced(sampleJob(), { type: "claimed", at: now });
    expect(job).toMatchObject({
      fence: 1,
      claimedAt: now,
      startedAt: now,
      leaseUntil: now + 60_000,
      dueAt: now + 60_000,
    });
  });

  it("tells since when the attempt could have been made: since it was due, or since its last worker's lease was over", () => {
    const late = advanced(sampleJob({ runAfter: now - 7 }), { type: "claimed", at: now });
    expect(late).toMatchObject({ queuedAt: now - 7, claimedAt: now });
    const lost = advanced(sampleRunning({ leaseUntil: now - 3 }), { type: "claimed", at: now });
    expect(lost).toMatchObject({ queuedAt: now - 3, claimedAt: now });
  });

  it("over an expired lease counts a crash and keeps the time of the first start", () => {
    const job = advanced(sampleRunning({ leaseUntil: now, startedAt: created }), {
      type: "claimed",
      at: now,
    });
    expect(job).toMatchObject({ fence: 2, crashes: 1, startedAt: created, paying: [] });
  });

  it("fails the job once it has brought down more workers than the crash budget", () => {
    const last = sampleRunning({ leaseUntil: now, crashes: crashBudget });
    expect(advanced(last, { type: "claimed", at: now })).toMatchObject({
      status: "failed",
      failure: { code: "internal", billed: "unknown" },
    });
    const lastButOne = sampleRunning({ leaseUntil: now, crashes: crashBudget - 1 });
    expect(advanced(lastButOne, { type: "claimed", at: now }).status).toBe("running");
  });

  it("never has the sweep look later than the deadline", () => {
    const job = advanced(sampleJob({ deadlineAt: now + 5 }), { type: "claimed", at: now });
    expect(job).toMatchObject({ dueAt: now + 5 });
  });
});

describe("beats and rechecks", () => {
  it("a beat renews the lease and leaves the sweep's time alone", () => {
    const job = sampleRunning({ dueAt: now + 1 });
    expect(advanced(job, { type: "beaten", at: now, fence: 1 })).toEqual({
      ...job,
      leaseUntil: now + 60_000,
      version: 3,
    });
  });

  it("neither shortens a lease, though it comes later than one that was told after it", () => {
    const job = sampleRunning({ leaseUntil: now + 90_000 });
    const beaten = { type: "beaten", at: now, fence: 1 } as const;
    const rechecked = { type: "rechecked", at: now, fence: 1, paying: [0] } as const;
    expect(advanced(job, beaten)).toMatchObject({ leaseUntil: now + 90_000 });
    expect(advanced(job, rechecked)).toMatchObject({ leaseUntil: now + 90_000, paying: [0] });
  });

  it("a recheck renews the lease and says what is being paid for", () => {
    const job = advanced(sampleRunning(), { type: "rechecked", at: now, fence: 1, paying: [1, 2] });
    expect(job).toMatchObject({ leaseUntil: now + 60_000, paying: [1, 2] });
  });
});

describe("a failed attempt", () => {
  const failWith = (job: Job, failure: Failure, random = 0, ...others: Failure[]) =>
    advanced(job, {
      type: "attempt_failed",
      at: now,
      fence: 1,
      failures: [failure, ...others],
      hasImages: false,
      opensAt: null,
      random,
    });

  it("waits longer each time, spends the failure's own budget, and then fails the job", () => {
    expect(failWith(sampleRunning(), overloaded)).toMatchObject({
      runAfter: now + 2_000,
      spent: { overloaded: 1 },
    });
    const third = sampleRunning({ spent: { overloaded: 2, timeout: 1 } });
    expect(failWith(third, overloaded)).toMatchObject({
      runAfter: now + 8_000,
      spent: { overloaded: 3, timeout: 1 },
    });
    const spent = sampleRunning({ spent: { overloaded: 8 } });
    expect(failWith(spent, overloaded)).toMatchObject({ status: "failed", failure: overloaded });
  });

  it("of several images spends each kind's budget once, and waits for the most patient", () => {
    const limited: Failure = {
      code: "rate_limited",
      message: "Slow down",
      billed: "no",
      retryAfterMs: 47_000,
    };
    const job = failWith(sampleRunning({ spent: { timeout: 1 } }), overloaded, 0, limited, overloaded);
    expect(job).toMatchObject({
      runAfter: now + 47_000,
      spent: { timeout: 1, overloaded: 1, rate_limited: 1 },
      lastFailure: { code: "rate_limited" },
    });
  });

  it("leaves a partial success once nothing more is tried and images are stored", () => {
    const fact = {
      type: "attempt_failed",
      at: now,
      fence: 1,
      failures: [overloaded],
      opensAt: null,
      random: 0,
    } as const;
    const first = advanced(sampleRunning(), { ...fact, hasImages: true });
    expect(first).toMatchObject({ status: "queued", hasImages: true });
    expect(advanced(first, { type: "expired", at: deadline })).toMatchObject({ status: "succeeded" });
    expect(advanced(first, { type: "swept", at: deadline })).toMatchObject({ status: "succeeded" });
    expect(advanced(first, { type: "canceled", at: now })).toMatchObject({ status: "canceled" });
    const spent = sampleRunning({ spent: { overloaded: 8 }, hasImages: true });
    expect(advanced(spent, { ...fact, hasImages: false })).toMatchObject({ status: "succeeded" });
    const crashed = sampleRunning({ leaseUntil: now, crashes: crashBudget, hasImages: true });
    expect(advanced(crashed, { type: "claimed", at: now })).toMatchObject({ status: "succeeded" });
  });

  it("is spread by the random number, never to before what was asked for", () => {
    expect(failWith(sampleRunning(), overloaded, 0.999)).toMatchObject({ runAfter: now + 2_999 });
  });

  it("at a rate limit waits as long as Gemini says, within bounds, however often", () => {
    const limited: Failure = {
      code: "rate_limited",
      message: "Slow down",
      billed: "no",
      retryAfterMs: 47_000,
    };
    const often = sampleRunning({ spent: { rate_limited: 999 } });
    expect(failWith(often, limited)).toMatchObject({ status: "queued", runAfter: now + 47_000 });
    expect(failWith(often, { ...limited, retryAfterMs: 0 })).toMatchObject({ runAfter: now + 2_000 });
    const late = sampleRunning({ deadlineAt: now + 10_000_000 });
    expect(failWith(late, { ...limited, retryAfterMs: 9_000_000 })).toMatchObject({
      runAfter: now + 900_000,
    });
  });

  it("fails at once when the next try would come after the deadline, and says both", () => {
    const job = failWith(sampleRunning({ deadlineAt: now + 1_000 }), overloaded);
    expect(job).toMatchObject({ status: "failed", failure: { code: "deadline_exceeded" } });
    expect(job.status === "failed" && job.failure.message).toContain("overloaded: The model is overloaded");
  });

  it("fails also when the next try would come just at the deadline", () => {
    expect(failWith(sampleRunning({ deadlineAt: now + 2_000 }), overloaded).status).toBe("failed");
    expect(failWith(sampleRunning({ deadlineAt: now + 2_001 }), overloaded).status).toBe("queued");
  });

  it("that holds up everybody waits until the next call may be made, and a moment more so that not all come at once", () => {
    const limited: Failure = { code: "rate_limited", message: "Slow down", billed: "no" };
    const untilOpen = (failure: Failure, opensAt: number, random: number, about = {}) =>
      advanced(sampleRunning(about), {
        type: "attempt_failed",
        at: now,
        fence: 1,
        failures: [failure],
        hasImages: false,
        opensAt,
        random,
      });
    expect(untilOpen(limited, now + 30_000, 0)).toMatchObject({ runAfter: now + 30_000 });
    expect(untilOpen(limited, now + 30_000, 0.25)).toMatchObject({ runAfter: now + 30_250 });
    expect(untilOpen(limited, now - 30_000, 0.25), "it is open already").toMatchObject({
      runAfter: now + 250,
    });
    expect(untilOpen(overloaded, now + 30_000, 0), "its own trouble").toMatchObject({
      runAfter: now + 2_000,
    });
    expect(
      untilOpen(limited, now + 30_000, 0, { deadlineAt: now + 10 }),
      "it may pass sooner than it says",
    ).toMatchObject({ status: "queued", dueAt: now + 10 });
  });

  it("is due for the sweep a minute after its message should have come, or at once where none is sent", () => {
    expect(failWith(sampleRunning(), overloaded)).toMatchObject({ dueAt: now + 2_000 + 60_000 });
    const quota: Failure = {
      code: "quota_exhausted",
      message: "Used up",
      billed: "no",
      retryAfterMs: 900_000,
    };
    const late = sampleRunning({ deadlineAt: now + 10_000_000 });
    expect(failWith(late, quota, 0.5)).toMatchObject({ runAfter: now + 1_125_000, dueAt: now + 1_125_000 });
    expect(failWith(late, quota), "the longest that a message can wait").toMatchObject({
      runAfter: now + 900_000,
      dueAt: now + 900_000 + 60_000,
    });
  });

  it("keeps a short reason, so that a job's item stays small", () => {
    const long: Failure = { ...overloaded, message: "x".repeat(5_000), upstream: { status: 503 } };
    const kept = failWith(sampleRunning(), long);
    expect(JSON.stringify(kept).length).toBeLessThan(1_024);
    expect(kept.lastFailure?.message).toMatch(/^x+…$/);
    const short: Failure = { ...overloaded, message: "x".repeat(200) };
    expect(failWith(sampleRunning(), short).lastFailure, "which is whole").toEqual(short);
  });
});

describe("the sweep", () => {
  const sweep = (job: Job, at: number) => advanced(job, { type: "swept", at });

  it("looks ever more rarely at a job that nobody takes, up to every ten minutes", () => {
    let job: Job = sampleJob({ deadlineAt: now + 1e9, dueAt: now });
    const waits = Array.from({ length: 6 }, () => {
      const at = "dueAt" in job ? job.dueAt : 0;
      job = sweep(job, at);
      return ("dueAt" in job ? job.dueAt : 0) - at;
    });
    expect(waits).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  });

  it("looks at a live lease when it would run out", () => {
    expect(sweep(sampleRunning({ leaseUntil: now + 7, dueAt: now }), now)).toMatchObject({
      dueAt: now + 7,
      checks: 0,
    });
  });

  it("fails a job past its deadline, and says that no worker was free if there was none", () => {
    const job = sweep(sampleJob({ deadlineAt: now }), now);
    expect(job).toMatchObject({ status: "failed", finishedAt: now, failure: { code: "deadline_exceeded" } });
    expect(job.status === "failed" && job.failure.message).toContain("no worker was free");
  });
});

describe("a terminal job", () => {
  it("keeps nothing that would bring it back into the due index", () => {
    const job = advanced(sampleRunning({ deadlineAt: deadline }), { type: "succeeded", at: now, fence: 1 });
    expect(Object.keys(job)).not.toEqual(expect.arrayContaining(["dueAt"]));
    expect(job).not.toHaveProperty("leaseUntil");
    expect(job).not.toHaveProperty("checks");
  });
});
