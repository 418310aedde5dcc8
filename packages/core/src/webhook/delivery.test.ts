import { samplePolicy } from "@plantain/memory/samples";
import {
  sampleDelivering,
  sampleEndpoint,
  sampleEvent,
  samplePending,
} from "@plantain/memory/webhook-samples";
import { describe, expect, it } from "vitest";
import { type Delivery, deliveryDelayMs, isFree, isKept, keptSince, newDelivery } from "./delivery.ts";
import { deliveryId, newEventId } from "./ids.ts";

const now = Date.UTC(2026, 10, 1);
const { status: _, nextTryAt: __, dueAt: ___, checks: ____, ...base } = samplePending();
const resting: Delivery = { ...base, status: "delivered", endedAt: now };

describe("a new delivery", () => {
  it("to the URL of its own job goes by the fast lane, and says so in its id", () => {
    const event = sampleEvent();
    expect(newDelivery(event, "inline", samplePolicy)).toMatchObject({
      id: deliveryId(event.id, "inline"),
      destination: "inline",
      lane: "fast",
      event: event.id,
      type: "job.succeeded",
      tenant: "acme",
      jobId: event.jobId,
      eventAt: now,
    });
  });

  it("of an event that is of no job names none", () => {
    const endpoint = sampleEndpoint();
    const id = newEventId(now, new Uint8Array(10));
    const ping = { id, tenant: "acme", at: now, type: "ping", endpoint: endpoint.id } as const;
    expect(newDelivery(ping, endpoint, samplePolicy)).toMatchObject({ jobId: null, type: "ping" });
  });
});

describe("a message for a delivery", () => {
  it("is worth sending while nobody is on it", () => {
    expect(isFree(samplePending(), now)).toBe(true);
    expect(isFree(sampleDelivering({ leaseUntil: now + 1 }), now)).toBe(false);
    expect(isFree(sampleDelivering({ leaseUntil: now }), now)).toBe(true);
    expect(isFree(resting, now)).toBe(false);
  });

  it("waits for the next try as long as a message can, and beyond that isn't needed", () => {
    expect(deliveryDelayMs(samplePending({ nextTryAt: now - 5 }), now)).toBe(0);
    expect(deliveryDelayMs(samplePending({ nextTryAt: now + 5 }), now)).toBe(5);
    expect(deliveryDelayMs(samplePending({ nextTryAt: now + 900_000 }), now)).toBe(900_000);
    expect(deliveryDelayMs(samplePending({ nextTryAt: now + 900_001 }), now)).toBeNull();
  });

  it("needn't wait where a lease is over, and isn't needed while it holds or once all is over", () => {
    expect(deliveryDelayMs(sampleDelivering({ leaseUntil: now }), now)).toBe(0);
    expect(deliveryDelayMs(sampleDelivering({ leaseUntil: now + 1 }), now)).toBeNull();
    expect(deliveryDelayMs(resting, now)).toBeNull();
  });
});

describe("a delivery that its tenant may look at", () => {
  it("is of the last thirty days", () => {
    expect(isKept({ eventAt: keptSince(now) }, now)).toBe(true);
    expect(isKept({ eventAt: keptSince(now) - 1 }, now)).toBe(false);
    expect(now - keptSince(now)).toBe(30 * 24 * 3_600_000 - 1);
  });
});
