import type { JobId } from "../id.ts";
import { longestDelayMs, type Policy } from "../job/policy.ts";
import type { Endpoint, Lane } from "./endpoint.ts";
import type { EventType, WebhookEvent } from "./event.ts";
import { type DeliveryId, type Destination, deliveryId, type EventId } from "./ids.ts";

/** What every delivery has, whatever its status. Times are epoch milliseconds. */
export type DeliveryBase = {
  readonly id: DeliveryId;
  readonly event: EventId;
  readonly type: EventType;
  readonly tenant: string;
  readonly jobId: JobId | null;
  readonly destination: Destination;
  /** When the event was. */
  readonly eventAt: number;
  /** Number of the latest try, which is also its fencing token; 0 before the first. */
  readonly fence: number;
  /** Steps of the schedule that are spent. */
  readonly spent: number;
  /** In a row, how often its turn at a slow endpoint had not come. */
  readonly postponed: number;
  readonly lane: Lane;
  readonly version: number;
};

type Unfinished = { readonly dueAt: number; readonly checks: number };

export type PendingDelivery = DeliveryBase &
  Unfinished & { readonly status: "pending"; readonly nextTryAt: number };
export type DeliveringDelivery = DeliveryBase &
  Unfinished & { readonly status: "delivering"; readonly claimedAt: number; readonly leaseUntil: number };
export type RestingDelivery = DeliveryBase & { readonly endedAt: number } & (
    | { readonly status: "delivered" }
    | { readonly status: "exhausted"; readonly reason: ExhaustedReason }
    /** Its endpoint is disabled: it waits, without being due, until that is enabled. Written by `deliver` alone. */
    | { readonly status: "parked" }
  );

/** Why no more is tried: every step of the schedule is spent, the receiver said 410, or there is nowhere to send to. */
export const exhaustedReasons = ["schedule_spent", "gone", "no_destination"] as const;
export type ExhaustedReason = (typeof exhaustedReasons)[number];

/** One event on its way to one endpoint. It changes only through `advanceDelivery`. */
export type Delivery = PendingDelivery | DeliveringDelivery | RestingDelivery;
export const deliveryStatuses = ["pending", "delivering", "delivered", "exhausted", "parked"] as const;
export type DeliveryStatus = Delivery["status"];

/** What happened, and when. */
export type DeliveryFact = { readonly at: number } & (
  | { readonly type: "claimed" }
  | { readonly type: "delivered"; readonly fence: number }
  | {
      readonly type: "failed";
      readonly fence: number;
      /** The receiver was too slow: the next try has more time, and others don't wait for it. */
      readonly timedOut: boolean;
      /** The receiver wants no more of it, ever. */
      readonly gone: boolean;
      /** What the receiver asked to wait, in milliseconds. */
      readonly retryAfterMs: number | null;
      /** In [0, 1): spreads retries. */
      readonly random: number;
    }
  /** Another delivery is at the endpoint. */
  | { readonly type: "postponed"; readonly random: number }
  | { readonly type: "parked" }
  | { readonly type: "orphaned" }
  | { readonly type: "redelivered" }
  /** Its endpoint is enabled again. */
  | { readonly type: "resumed" }
  | { readonly type: "swept" }
);

/** Why a fact does not apply. None is an error. */
export type DeliveryRefusal = {
  readonly refused: "over" | "lease_lost" | "leased" | "not_due" | "not_parked";
};

/** One try, as the log tells it. */
export type Try = {
  readonly number: number;
  readonly startedAt: number;
  readonly ms: number;
  /** `null` where there was no answer. */
  readonly status: number | null;
  /** Why it doesn't count as delivered; `null` where it does. */
  readonly error: string | null;
  /** For people: what went wrong on the way. */
  readonly message: string | null;
  /** The beginning of the answer, at most 4 KiB as it came. */
  readonly answer: string | null;
  readonly isWhole: boolean;
};

/** An event with its deliveries, to be stored together. */
export type Announcement = { readonly event: WebhookEvent; readonly deliveries: readonly Delivery[] };

/**
 * A delivery at its creation: due at once, its message expected soon, also where its endpoint is disabled. That may be
 * enabled before this is written, and whoever parks has to look again afterwards.
 */
export function newDelivery(
  event: WebhookEvent,
  to: Pick<Endpoint, "id" | "lane"> | "inline",
  { arrivalMs }: Pick<Policy, "arrivalMs">,
): PendingDelivery {
  const destination = to === "inline" ? to : to.id;
  return {
    id: deliveryId(event.id, destination),
    event: event.id,
    type: event.type,
    tenant: event.tenant,
    jobId: "jobId" in event ? event.jobId : null,
    destination,
    eventAt: event.at,
    fence: 0,
    spent: 0,
    postponed: 0,
    lane: to === "inline" ? "fast" : to.lane,
    version: 1,
    status: "pending",
    nextTryAt: event.at,
    dueAt: event.at + arrivalMs,
    checks: 0,
  };
}

const day = 24 * 3_600_000;
/** How long after its event a delivery is there to be looked at, and to be delivered again. */
const keptMs = 30 * day;
/** What is delivered again at the last moment takes the whole schedule, and waits for its turns at a slow endpoint. */
const lastScheduleMs = 5 * day;

/** The earliest event whose deliveries are still there for their tenant. */
export function keptSince(at: number): number {
  return at - keptMs + 1;
}

/** Whether a delivery is still there for its tenant; the store may have it for longer. */
export function isKept({ eventAt }: Pick<Delivery, "eventAt">, at: number): boolean {
  return eventAt >= keptSince(at);
}

/** From when on the store may forget an event with all that has become of it. Never put off: the event is shared. */
export function forgottenAt(eventAt: number): number {
  return eventAt + keptMs + lastScheduleMs;
}

export function isResting(delivery: Delivery): delivery is RestingDelivery {
  return delivery.status !== "pending" && delivery.status !== "delivering";
}

/** Whether nobody is on it, so that a message for it is worth sending. */
export function isFree(delivery: Delivery, at: number): boolean {
  return delivery.status === "pending" || (delivery.status === "delivering" && delivery.leaseUntil <= at);
}

/** Milliseconds that its message has to wait, or `null` where it needs none: what comes then is the sweep's. */
export function deliveryDelayMs(delivery: Delivery, at: number): number | null {
  if (delivery.status !== "pending") return isFree(delivery, at) ? 0 : null;
  const delay = Math.max(0, delivery.nextTryAt - at);
  return delay > longestDelayMs ? null : delay;
}
