import { firstCheckMs, longestCheckMs, type Policy } from "../job/policy.ts";
import {
  type DeliveringDelivery,
  type Delivery,
  type DeliveryBase,
  type DeliveryFact,
  type DeliveryRefusal,
  deliveryDelayMs,
  type ExhaustedReason,
  isFree,
  isResting,
  type PendingDelivery,
  type RestingDelivery,
} from "./delivery.ts";
import { mostTries, nextTurnMs, nextWaitMs } from "./schedule.ts";

/** How long a claim holds: more than a try may take, and what is written after it. */
export const deliveryLeaseMs = 30_000;

type Arrival = Pick<Policy, "arrivalMs">;
type Open = PendingDelivery | DeliveringDelivery;

/** The only way a delivery changes. Pure and total: an unhandled fact does not compile. */
export function advanceDelivery(
  delivery: Delivery,
  fact: DeliveryFact,
  policy: Arrival,
): Delivery | DeliveryRefusal {
  const { at } = fact;
  if (fact.type === "redelivered")
    return isLeased(delivery, at) ? { refused: "leased" } : beganAnew(delivery, at, policy);
  if (fact.type === "resumed")
    return delivery.status === "parked" ? beganAnew(delivery, at, policy) : { refused: "not_parked" };
  if (isResting(delivery)) return { refused: "over" };
  if ("fence" in fact && (delivery.status !== "delivering" || fact.fence !== delivery.fence))
    return { refused: "lease_lost" };
  switch (fact.type) {
    case "claimed":
      return claim(delivery, at);
    case "delivered":
      return { ...base(delivery), status: "delivered", endedAt: at };
    case "failed":
      return retry(delivery, fact, policy);
    case "postponed": {
      if (isLeased(delivery, at)) return { refused: "leased" };
      const to = takenOver(delivery);
      if (to.spent >= mostTries) return exhausted(to, "schedule_spent", at);
      const wait = nextTurnMs(delivery.postponed, fact.random);
      return pending({ ...to, postponed: delivery.postponed + 1, lane: "slow" }, at, at + wait, policy);
    }
    case "parked":
      if (isLeased(delivery, at)) return { refused: "leased" };
      return { ...base(delivery), status: "parked", endedAt: at };
    case "orphaned":
      if (isLeased(delivery, at)) return { refused: "leased" };
      return exhausted(base(delivery), "no_destination", at);
    case "swept":
      return delivery.dueAt > at ? { refused: "not_due" } : checkLater(delivery, at);
  }
}

/** All over again, with the whole schedule before it. */
function beganAnew(delivery: Delivery, at: number, policy: Arrival): Delivery {
  return pending({ ...base(delivery), spent: 0, postponed: 0 }, at, at, policy);
}

/** Over an expired lease a step of the schedule is spent: its worker may have died of this very delivery. */
function takenOver(delivery: Open): DeliveryBase {
  return { ...base(delivery), spent: delivery.spent + (delivery.status === "delivering" ? 1 : 0) };
}

function claim(delivery: Open, at: number): Delivery | DeliveryRefusal {
  const isPending = delivery.status === "pending";
  const freeAt = isPending ? delivery.nextTryAt : delivery.leaseUntil;
  if (freeAt > at) return { refused: isPending ? "not_due" : "leased" };
  const to = takenOver(delivery);
  if (to.spent >= mostTries) return exhausted(to, "schedule_spent", at);
  const leaseUntil = at + deliveryLeaseMs;
  return {
    ...to,
    status: "delivering",
    fence: delivery.fence + 1,
    postponed: 0,
    claimedAt: at,
    leaseUntil,
    dueAt: leaseUntil,
    checks: 0,
  };
}

function retry(
  delivery: Open,
  { at, timedOut, gone, retryAfterMs, random }: Extract<DeliveryFact, { type: "failed" }>,
  policy: Arrival,
): Delivery {
  const spent = delivery.spent + 1;
  const to: DeliveryBase = { ...base(delivery), spent, lane: timedOut ? "slow" : delivery.lane };
  if (gone) return exhausted(to, "gone", at);
  const wait = nextWaitMs(spent, retryAfterMs, random);
  return wait === null ? exhausted(to, "schedule_spent", at) : pending(to, at, at + wait, policy);
}

function pending(to: DeliveryBase, at: number, nextTryAt: number, { arrivalMs }: Arrival): PendingDelivery {
  const delivery = { ...to, status: "pending", nextTryAt, dueAt: nextTryAt, checks: 0 } as const;
  const messageComes = deliveryDelayMs(delivery, at) !== null;
  return messageComes ? { ...delivery, dueAt: nextTryAt + arrivalMs } : delivery;
}

function exhausted(to: DeliveryBase, reason: ExhaustedReason, at: number): RestingDelivery {
  return { ...to, status: "exhausted", reason, endedAt: at };
}

/** The sweep looks again later, ever more rarely; at a live lease it looks when that would run out. */
function checkLater(delivery: Open, at: number): Delivery {
  const version = delivery.version + 1;
  if (isLeased(delivery, at)) return { ...delivery, dueAt: delivery.leaseUntil, version };
  const wait = Math.min(longestCheckMs, firstCheckMs * 2 ** Math.min(delivery.checks, 10));
  return { ...delivery, dueAt: at + wait, checks: delivery.checks + 1, version };
}

function isLeased(delivery: Delivery, at: number): delivery is DeliveringDelivery {
  return !isResting(delivery) && !isFree(delivery, at);
}

function base(delivery: Delivery): DeliveryBase {
  return {
    id: delivery.id,
    event: delivery.event,
    type: delivery.type,
    tenant: delivery.tenant,
    jobId: delivery.jobId,
    destination: delivery.destination,
    eventAt: delivery.eventAt,
    fence: delivery.fence,
    spent: delivery.spent,
    postponed: delivery.postponed,
    lane: delivery.lane,
    version: delivery.version + 1,
  };
}
