import {
  type DeliveringDelivery,
  type Delivery,
  newDelivery,
  type PendingDelivery,
} from "@plantain/core/webhook/delivery";
import { type Endpoint, newEndpoint, newSigner } from "@plantain/core/webhook/endpoint";
import type { JobEventType, WebhookEvent } from "@plantain/core/webhook/event";
import { jobEventId } from "@plantain/core/webhook/ids";
import { seededRandom } from "./clock.ts";
import { sampleJob, samplePolicy } from "./samples.ts";

/*
 * Ready-made endpoints and deliveries for tests.
 */

const random = seededRandom(11);
const now = Date.UTC(2026, 10, 1);

export function sampleEndpoint(about: Partial<Endpoint> = {}): Endpoint {
  const signer = newSigner(about.tenant ?? "acme", about.createdAt ?? now, random);
  const settings = { url: "https://example.com/hook", events: ["job.succeeded"] as const, description: "" };
  return { ...newEndpoint(signer, settings, true), ...about };
}

export function sampleEvent(about: { tenant?: string; type?: JobEventType; at?: number } = {}) {
  const { id: jobId, tenant } = sampleJob();
  const event = { id: jobEventId(jobId), tenant, type: "job.succeeded", at: now, jobId, ...about } as const;
  return event satisfies WebhookEvent;
}

export function samplePending(about: Partial<PendingDelivery> = {}): PendingDelivery {
  const delivery: Delivery = newDelivery(sampleEvent(), sampleEndpoint(), samplePolicy);
  if (delivery.status !== "pending") throw new Error("Cannot make a sample: a new delivery is pending");
  return { ...delivery, ...about };
}

export function sampleDelivering(about: Partial<DeliveringDelivery> = {}): DeliveringDelivery {
  const { nextTryAt: _, ...delivery } = samplePending();
  return { ...delivery, status: "delivering", fence: 1, claimedAt: now, leaseUntil: now + 30_000, ...about };
}
