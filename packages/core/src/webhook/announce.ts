import { type FinishedJob, isFinished } from "../job/job.ts";
import type { Policy } from "../job/policy.ts";
import type { Jobs } from "../job/ports.ts";
import { type Announcement, newDelivery } from "./delivery.ts";
import { mostEndpoints } from "./endpoint.ts";
import type { SubscribableType, WebhookEvent } from "./event.ts";
import { jobEventId } from "./ids.ts";
import type { DeliveryQueue, Endpoints } from "./ports.ts";

export type AnnouncePorts = {
  readonly endpoints: Endpoints;
  readonly deliveryQueue: DeliveryQueue;
  readonly policy: Pick<Policy, "arrivalMs">;
};

/**
 * Jobs whose end is announced, whoever brings it about: the event and a delivery for each endpoint that wants to hear of
 * it are written in the transaction of the job's last write, so there is never the one without the others.
 * @param onUnsent hears why a message could not be sent; the sweep makes it good
 */
export function announcing(jobs: Jobs, ports: AnnouncePorts, onUnsent: (error: unknown) => void): Jobs {
  return {
    ...jobs,
    async write(from, to, records = {}) {
      const announcement = isFinished(to) ? await announcementOf(ports, to) : null;
      if (!announcement) return jobs.write(from, to, records);
      const written = await jobs.write(from, to, { ...records, announcement });
      if (written.written) await sendAnnounced(ports, announcement, onUnsent);
      return written;
    },
  };
}

async function announcementOf(
  { endpoints, policy }: AnnouncePorts,
  job: FinishedJob,
): Promise<Announcement | null> {
  const { id, tenant, status, finishedAt } = job;
  const type = `job.${status}` as const;
  const event: WebhookEvent = { id: jobEventId(id), type, tenant, at: finishedAt, jobId: id };
  const deliveries = [
    ...(job.notifies.includes(type) ? [newDelivery(event, "inline", policy)] : []),
    ...(await subscribers(endpoints, tenant, type)).map((endpoint) => newDelivery(event, endpoint, policy)),
  ];
  return deliveries.length > 0 ? { event, deliveries } : null;
}

/**
 * The endpoints of a tenant that want to hear of such events, disabled ones too. Never more than there may be: with an
 * event for each of too many the write that ends a job would be refused, and no job could end.
 */
export async function subscribers(endpoints: Endpoints, tenant: string, type: SubscribableType) {
  return (await endpoints.list(tenant)).slice(0, mostEndpoints).filter(({ events }) => events.includes(type));
}

/** Sends a message for each delivery. */
export async function sendAnnounced(
  { deliveryQueue }: Pick<AnnouncePorts, "deliveryQueue">,
  { deliveries }: Announcement,
  onUnsent: (error: unknown) => void,
): Promise<void> {
  await Promise.all(
    deliveries.map((delivery) => deliveryQueue.send(delivery, delivery.lane, 0).catch(onUnsent)),
  );
}
