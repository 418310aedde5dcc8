import { sampleJob, samplePolicy } from "@plantain/memory/samples";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Held } from "../capacity/held.ts";
import { advance } from "./advance.ts";
import type { Failure } from "./failure.ts";
import { type Fact, isFinished, type Job } from "./job.ts";
import { crashBudget } from "./policy.ts";

/** Something that may happen at a time, told by whoever has this fence. */
type Event = (at: number, fence: number) => Fact;

const failure: fc.Arbitrary<Failure> = fc.record({
  code: fc.constantFrom("overloaded", "rate_limited", "text_only", "content_blocked.prompt", "timeout"),
  message: fc.constant("…"),
  billed: fc.constantFrom("yes", "no", "unknown"),
});
const held: fc.Arbitrary<Held> = fc.record({
  by: fc.constantFrom("tenant:acme", "model:m"),
  reason: fc.constantFrom("tenant_limit", "model_limit", "billing"),
  since: fc.constant(0),
  until: fc.constant(null),
});
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.constant((at: number) => ({ type: "claimed", at }) as const) },
  { weight: 3, arbitrary: fc.constant((at: number) => ({ type: "swept", at }) as const) },
  fc.constantFrom("promoted", "expired", "canceled").map((type) => (at: number) => ({ type, at })),
  held.map((by) => (at: number) => ({ type: "held", at, held: by }) as const),
  fc.constant((at: number, fence: number) => ({ type: "beaten", at, fence }) as const),
  fc.constant((at: number, fence: number) => ({ type: "rechecked", at, fence, paying: [0] }) as const),
  fc.constant((at: number, fence: number) => ({ type: "succeeded", at, fence }) as const),
  fc.tuple(fc.boolean(), fc.option(held)).map(
    ([hasImages, by]) =>
      (at: number, fence: number) =>
        ({ type: "released", at, fence, hasImages, held: by }) as const,
  ),
  fc
    .tuple(
      failure,
      fc.array(failure, { maxLength: 2 }),
      fc.boolean(),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
    )
    .map(
      ([first, others, hasImages, random]) =>
        (at: number, fence: number) =>
          ({
            type: "attempt_failed",
            at,
            fence,
            failures: [first, ...others],
            hasImages,
            opensAt: null,
            random,
          }) as const,
    ),
);
const life = fc.array(fc.tuple(event, fc.nat({ max: 120_000 }), fc.constantFrom(0, 0, 0, 1)), {
  minLength: 1,
  maxLength: 40,
});

/** Has all this happen to a new job; `look` sees each step, and what came of it. Answers the job and the time. */
function lived(
  events: readonly [Event, number, number][],
  look: (before: Job, fact: Fact, after: ReturnType<typeof advance>) => void,
): { job: Job; at: number } {
  const { createdAt } = sampleJob();
  let job: Job = sampleJob({ createdAt, deadlineAt: createdAt + 400_000 });
  let at = createdAt;
  for (const [happens, later, stranger] of events) {
    at += later;
    const fact = happens(at, job.fence + stranger);
    const after = advance(job, fact, samplePolicy);
    look(job, fact, after);
    if (!("refused" in after)) job = after;
  }
  return { job, at };
}

describe("whatever happens to a job", () => {
  it("counts every write, changes attempts only by a claim, and never comes back from its end", () => {
    fc.assert(
      fc.property(life, (events) => {
        lived(events, (before, fact, after) => {
          if (isFinished(before)) expect(after).toEqual({ refused: "over" });
          if ("refused" in after) return;
          expect(after.version).toBe(before.version + 1);
          const isClaimed = fact.type === "claimed" && after.status === "running";
          expect(after.fence).toBe(before.fence + (isClaimed ? 1 : 0));
          expect(after.hasImages || !before.hasImages, "images are never forgotten").toBe(true);
        });
      }),
    );
  });

  it("somebody looks after it by its deadline, or once the lease over it is out", () => {
    fc.assert(
      fc.property(life, (events) => {
        lived(events, (_before, _fact, after) => {
          if ("refused" in after || isFinished(after)) return;
          const lease = after.status === "running" ? after.leaseUntil : 0;
          expect(after.dueAt).toBeLessThanOrEqual(Math.max(after.deadlineAt, lease));
          expect(after.crashes).toBeLessThanOrEqual(crashBudget);
        });
      }),
    );
  });

  it("is over at the first look after deadline and lease, and with images it is no failure", () => {
    fc.assert(
      fc.property(life, (events) => {
        const { job, at } = lived(events, () => undefined);
        if (isFinished(job)) return;
        const lease = job.status === "running" ? job.leaseUntil : 0;
        const late = Math.max(at, job.deadlineAt, lease);
        for (const type of ["swept", "expired"] as const) {
          const after = advance(job, { type, at: late }, samplePolicy);
          expect(after).toMatchObject({ status: job.hasImages ? "succeeded" : "failed", finishedAt: late });
        }
      }),
    );
  });
});
