import { samplePolicy } from "@plantain/memory/samples";
import {
  sampleDelivering,
  sampleEndpoint,
  sampleEvent,
  samplePending,
} from "@plantain/memory/webhook-samples";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advanceDelivery, deliveryLeaseMs } from "./advance-delivery.ts";
import {
  type Delivery,
  type DeliveryFact,
  deliveryDelayMs,
  isFree,
  isResting,
  newDelivery,
} from "./delivery.ts";
import { mostTries } from "./schedule.ts";

const now = Date.UTC(2026, 10, 1);
const tell = (delivery: Delivery, fact: DeliveryFact) => advanceDelivery(delivery, fact, samplePolicy);
const failure = {
  type: "failed",
  at: now,
  fence: 1,
  timedOut: false,
  gone: false,
  retryAfterMs: null,
  random: 0.5,
} as const;
const { arrivalMs } = samplePolicy;

describe("a new delivery", () => {
  it("is due at once and looked at when its message should have come", () => {
    expect(newDelivery(sampleEvent(), sampleEndpoint(), samplePolicy)).toMatchObject({
      status: "pending",
      nextTryAt: now,
      dueAt: now + arrivalMs,
      fence: 0,
      lane: "fast",
    });
  });

  it("goes by its endpoint's lane", () => {
    const slow = sampleEndpoint({ lane: "slow" });
    expect(newDelivery(sampleEvent(), slow, samplePolicy).lane).toBe("slow");
  });
});

describe("a claim", () => {
  it("takes a lease under the next fence", () => {
    expect(tell(samplePending(), { type: "claimed", at: now })).toMatchObject({
      status: "delivering",
      fence: 1,
      leaseUntil: now + deliveryLeaseMs,
      dueAt: now + deliveryLeaseMs,
      spent: 0,
    });
  });

  it("is refused too early, over a live lease, and where there is nothing to do", () => {
    expect(tell(samplePending({ nextTryAt: now + 1 }), { type: "claimed", at: now })).toEqual({
      refused: "not_due",
    });
    expect(tell(sampleDelivering({ leaseUntil: now + 1 }), { type: "claimed", at: now })).toEqual({
      refused: "leased",
    });
    const delivered = tell(sampleDelivering(), { type: "delivered", at: now, fence: 1 });
    if ("refused" in delivered) throw new Error("It was delivered");
    expect(tell(delivered, { type: "claimed", at: now })).toEqual({ refused: "over" });
  });

  it("over a lease that ran out spends a step of the schedule, and the last one exhausts it", () => {
    const at = now + 30_000;
    expect(tell(sampleDelivering(), { type: "claimed", at })).toMatchObject({ fence: 2, spent: 1 });
    expect(tell(sampleDelivering({ spent: mostTries - 1 }), { type: "claimed", at })).toMatchObject({
      status: "exhausted",
      reason: "schedule_spent",
    });
  });
});

describe("a delivery whose turn hasn't come", () => {
  const postponed = { type: "postponed", at: now + 30_000, random: 0 } as const;

  it("waits in the slow lane, and spends a step only where its worker died", () => {
    expect(tell(samplePending(), postponed)).toMatchObject({
      status: "pending",
      lane: "slow",
      spent: 0,
      postponed: 1,
      nextTryAt: now + 37_500,
    });
    expect(tell(sampleDelivering(), postponed)).toMatchObject({ status: "pending", spent: 1 });
    expect(tell(sampleDelivering({ spent: mostTries - 1 }), postponed)).toMatchObject({
      status: "exhausted",
      reason: "schedule_spent",
    });
    expect(tell(sampleDelivering(), { ...postponed, at: now })).toEqual({ refused: "leased" });
  });
});

describe("a try's end", () => {
  it("counts under the try's own fence alone, so duplicates and zombies don't spend the schedule twice", () => {
    const delivering = sampleDelivering({ fence: 2 });
    expect(tell(delivering, failure)).toEqual({ refused: "lease_lost" });
    expect(tell(delivering, { type: "delivered", at: now, fence: 1 })).toEqual({ refused: "lease_lost" });
    expect(tell(samplePending({ fence: 1 }), failure)).toEqual({ refused: "lease_lost" });
  });

  it("waits for the next step of the schedule, by message where SQS can wait so long", () => {
    const soon = tell(sampleDelivering(), failure);
    expect(soon).toMatchObject({
      status: "pending",
      spent: 1,
      nextTryAt: now + 5_000,
      dueAt: now + 5_000 + arrivalMs,
    });
    const later = tell(sampleDelivering({ spent: 2 }), failure);
    expect(later).toMatchObject({ nextTryAt: now + 1_800_000, dueAt: now + 1_800_000 });
    if ("refused" in soon || "refused" in later) throw new Error("Both were told");
    expect(deliveryDelayMs(soon, now)).toBe(5_000);
    expect(deliveryDelayMs(later, now)).toBeNull();
  });

  it("exhausts it after the last step, or at once where the receiver is gone", () => {
    expect(tell(sampleDelivering({ spent: mostTries - 1 }), failure)).toMatchObject({
      status: "exhausted",
      reason: "schedule_spent",
    });
    expect(tell(sampleDelivering(), { ...failure, gone: true })).toMatchObject({
      status: "exhausted",
      reason: "gone",
    });
  });

  it("leaves it in the slow lane after a time-out, and where it was after any other", () => {
    expect(tell(sampleDelivering(), { ...failure, timedOut: true })).toMatchObject({ lane: "slow" });
    expect(tell(sampleDelivering(), failure)).toMatchObject({ lane: "fast" });
    expect(tell(sampleDelivering({ lane: "slow" }), failure)).toMatchObject({ lane: "slow" });
  });

  it("that was a success is the end, told with its time", () => {
    const delivering = sampleDelivering();
    const { leaseUntil: _, claimedAt: __, dueAt: ___, checks: ____, ...kept } = delivering;
    expect(tell(delivering, { type: "delivered", at: now + 5, fence: 1 })).toEqual({
      ...kept,
      status: "delivered",
      endedAt: now + 5,
      version: 2,
    });
  });
});

describe.each([
  ["whose endpoint is disabled", "parked", { status: "parked" }],
  ["that has nowhere to go", "orphaned", { status: "exhausted", reason: "no_destination" }],
] as const)("a delivery %s", (_, type, rest) => {
  it("rests, and spends nothing on it", () => {
    const resting = { ...rest, endedAt: now + 5, spent: 3, fence: 0, version: 2 };
    expect(tell(samplePending({ spent: 3 }), { type, at: now + 5 })).toMatchObject(resting);
    const lost = sampleDelivering({ spent: 3, leaseUntil: now + 5 });
    expect(tell(lost, { type, at: now + 5 })).toMatchObject({ ...resting, fence: 1 });
  });

  it("doesn't rest while somebody is trying it", () => {
    expect(tell(sampleDelivering({ leaseUntil: now + 1 }), { type, at: now })).toEqual({ refused: "leased" });
  });
});

const { leaseUntil: _, claimedAt: __, dueAt: ___, checks: ____, ...base } = sampleDelivering({ spent: 4 });
const delivered: Delivery = { ...base, status: "delivered", endedAt: now };
const parked: Delivery = { ...base, status: "parked", endedAt: now };
const begunAnew = { status: "pending", spent: 0, fence: 1, nextTryAt: now };

describe("a redelivery", () => {
  it("begins the schedule anew from any rest, and isn't due twice at once", () => {
    for (const resting of [delivered, parked])
      expect(tell(resting, { type: "redelivered", at: now })).toMatchObject(begunAnew);
    expect(tell(sampleDelivering(), { type: "redelivered", at: now })).toEqual({ refused: "leased" });
    const lost = sampleDelivering({ leaseUntil: now, spent: 4, postponed: 2 });
    expect(tell(lost, { type: "redelivered", at: now })).toMatchObject({ ...begunAnew, postponed: 0 });
  });
});

describe("a parked delivery whose endpoint is enabled", () => {
  it("begins the schedule anew, and nothing else does so again", () => {
    expect(tell(parked, { type: "resumed", at: now })).toMatchObject(begunAnew);
    for (const other of [delivered, samplePending(), sampleDelivering()])
      expect(tell(other, { type: "resumed", at: now })).toEqual({ refused: "not_parked" });
  });
});

describe("the sweep", () => {
  it("looks ever more rarely, and at a live lease when that would run out", () => {
    const at = now + arrivalMs;
    expect(tell(samplePending(), { type: "swept", at: at - 1 })).toEqual({ refused: "not_due" });
    expect(tell(samplePending(), { type: "swept", at })).toMatchObject({ dueAt: at + 60_000, checks: 1 });
    expect(tell(samplePending({ checks: 20 }), { type: "swept", at })).toMatchObject({ dueAt: at + 600_000 });
    const leased = sampleDelivering({ dueAt: now, leaseUntil: now + 9 });
    expect(tell(leased, { type: "swept", at: now })).toMatchObject({ dueAt: now + 9, checks: 0 });
  });
});

describe("whatever is told in whatever order", () => {
  const fact = fc.oneof(
    fc.constant({ type: "claimed" as const }),
    fc.record({ type: fc.constant("delivered" as const), fence: fc.integer({ min: 0, max: 4 }) }),
    fc.record({
      type: fc.constant("failed" as const),
      fence: fc.integer({ min: 0, max: 4 }),
      timedOut: fc.boolean(),
      gone: fc.boolean(),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 1e8 })),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
    fc.record({
      type: fc.constant("postponed" as const),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
    fc.constant({ type: "parked" as const }),
    fc.constant({ type: "orphaned" as const }),
    fc.constant({ type: "redelivered" as const }),
    fc.constant({ type: "resumed" as const }),
    fc.constant({ type: "swept" as const }),
  );

  it("spends at most a step for each claim, rests only finished, and is due while it isn't", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fact, fc.integer({ min: 0, max: 90_000_000 })), { maxLength: 60 }),
        (facts) => {
          let delivery: Delivery = samplePending();
          let at = now;
          for (const [told, later] of facts) {
            at += later;
            const to = tell(delivery, { ...told, at });
            if ("refused" in to) continue;
            expect(to.version).toBe(delivery.version + 1);
            expect(to.fence - delivery.fence).toBe(
              to.status === "delivering" && told.type === "claimed" ? 1 : 0,
            );
            expect(to.spent).toBeLessThanOrEqual(Math.min(mostTries, to.fence + 1));
            expect(isResting(to)).toBe(!("dueAt" in to));
            if (!isResting(to)) expect(isFree(to, Number.MAX_SAFE_INTEGER)).toBe(true);
            if (isResting(delivery)) expect(["redelivered", "resumed"]).toContain(told.type);
            delivery = to;
          }
        },
      ),
    );
  });
});
