import { isResting } from "@plantain/core/webhook/delivery";
import { type Endpoint, type Lane, newEndpoint, newSigner } from "@plantain/core/webhook/endpoint";
import { type JobEventType, jobEventTypes } from "@plantain/core/webhook/event";
import type { DeliveryId } from "@plantain/core/webhook/ids";
import type { Deliveries, DeliveryQueue, Endpoints } from "@plantain/core/webhook/ports";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import type { Dice } from "./dice.ts";
import type { Profile } from "./profile.ts";
import { type Queue, queue } from "./queue.ts";
import type { Timeline } from "./timeline.ts";

/** Everything of webhooks but the functions that deliver them and the receivers. */
export type Webhooks = {
  readonly deliveries: Deliveries;
  readonly endpoints: Endpoints;
  readonly lanes: Readonly<Record<Lane, Queue>>;
  readonly deliveryQueue: DeliveryQueue;
  /** The endpoints of all tenants. */
  readonly registered: readonly Endpoint[];
  /** Deliveries that are neither delivered nor given up. */
  readonly open: ReadonlySet<DeliveryId>;
};

/** Where jobs of a tenant are told of that bring a URL of their own. */
export function ownUrl(tenant: string): string {
  return `https://${tenant}.test/own`;
}

/** The tables and queues of webhooks, with the endpoints that tenants have registered before anything happens. */
export function webhooks(
  { timeline, dice }: { timeline: Timeline; dice: Dice },
  { duplicates, webhooks: share }: Profile,
  tenants: readonly string[],
): Webhooks {
  const truth = memoryDeliveries();
  const open = new Set<DeliveryId>();
  const deliveries: Deliveries = {
    ...truth,
    async announce(announcement) {
      await truth.announce(announcement);
      for (const { id } of announcement.deliveries) open.add(id);
    },
    async write(from, to, ended) {
      const written = await truth.write(from, to, ended);
      if (written.written && isResting(to)) open.delete(to.id);
      return written;
    },
  };
  const endpoints = memoryEndpoints(deliveries);
  const registered = tenants.flatMap((tenant) =>
    dice.chance(share) ? Array.from({ length: dice.whole(1, 3) }, (_, at) => endpointOf(tenant, at)) : [],
  );
  // In memory that is done at once
  for (const endpoint of registered) void endpoints.create(endpoint);
  for (const tenant of tenants) void endpoints.writeSigner(null, newSigner(tenant, timeline.now, dice));

  function endpointOf(tenant: string, at: number): Endpoint {
    const events: readonly JobEventType[] = dice.chance(0.7) ? jobEventTypes : [dice.pick(jobEventTypes)];
    const settings = { url: `https://${tenant}.test/${at}`, events, description: "" };
    return newEndpoint(newSigner(tenant, timeline.now + at, dice), settings, true);
  }

  const lanes = {
    fast: queue(timeline, dice.fork(), duplicates),
    slow: queue(timeline, dice.fork(), duplicates),
  };
  return {
    deliveries,
    endpoints,
    lanes,
    registered,
    open,
    deliveryQueue: {
      send: ({ id, tenant }, lane, delayMs) =>
        lanes[lane].send(JSON.stringify({ deliveryId: id, lane }), tenant, delayMs),
    },
  };
}
