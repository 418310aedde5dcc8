import { type Delivery, isResting } from "@plantain/core/webhook/delivery";
import { type Endpoint, type Lane, newEndpoint, newSigner } from "@plantain/core/webhook/endpoint";
import { type JobEventType, jobEventTypes } from "@plantain/core/webhook/event";
import type { DeliveryId } from "@plantain/core/webhook/ids";
import type { Deliveries, DeliveryQueue, Endpoints } from "@plantain/core/webhook/ports";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import type { Dice } from "./dice.ts";
import { dueIndex } from "./due-index.ts";
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
  /** Whether nobody is on any delivery: a message may yet come back for one that is parked. */
  isAtRest(): boolean;
  /** The tries that a delivery had had before its schedule began anew. */
  readonly resumedAt: ReadonlyMap<DeliveryId, number>;
  /** Called with each write to a delivery as it takes effect. */
  onWrite: ((from: Delivery, to: Delivery) => void) | null;
};

/** Where jobs of a tenant are told of that bring a URL of their own. */
export function ownUrl(tenant: string): string {
  return `https://${tenant}.test/own`;
}

/** The tables and queues of webhooks, with the endpoints that tenants have registered before anything happens. */
export function webhooks(
  { timeline, dice }: { timeline: Timeline; dice: Dice },
  { duplicates, lateIndex, webhooks: share }: Profile,
  tenants: readonly string[],
): Webhooks {
  const truth = memoryDeliveries();
  /** Deliveries that are neither delivered, parked nor given up. */
  const open = new Set<DeliveryId>();
  const parked = new Set<DeliveryId>();
  const resumedAt = new Map<DeliveryId, number>();
  const deliveries: Deliveries = {
    ...truth,
    async announce(announcement) {
      await truth.announce(announcement);
      for (const delivery of announcement.deliveries) follow(delivery);
    },
    async write(from, to, ended) {
      const written = await truth.write(from, to, ended);
      if (!written.written) return written;
      follow(to);
      if (from.status === "parked" && to.status === "pending") resumedAt.set(to.id, to.fence);
      self.onWrite?.(from, to);
      return written;
    },
    due: (shard, at, limit) => Promise.resolve(index.due(shard, at, limit)),
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

  const index = dueIndex<DeliveryId>({ timeline, dice: dice.fork() }, lateIndex);
  function follow(delivery: Delivery): void {
    const { id, event } = delivery;
    index.follow(id, event, isResting(delivery) ? null : delivery.dueAt);
    if (isResting(delivery)) open.delete(id);
    else open.add(id);
    if (delivery.status === "parked") parked.add(id);
    else parked.delete(id);
  }

  const lanes = {
    fast: queue(timeline, dice.fork(), duplicates),
    slow: queue(timeline, dice.fork(), duplicates),
  };
  const self: Webhooks = {
    deliveries,
    endpoints,
    lanes,
    registered,
    isAtRest: () =>
      open.size === 0 && (parked.size === 0 || [lanes.fast, lanes.slow].every(({ size }) => size === 0)),
    resumedAt,
    onWrite: null,
    deliveryQueue: {
      send: ({ id, tenant }, lane, delayMs) =>
        lanes[lane].send(JSON.stringify({ deliveryId: id, lane }), tenant, delayMs),
    },
  };
  return self;
}
