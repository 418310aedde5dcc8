import type { Clock } from "../clock.ts";
import type { Policy } from "../job/policy.ts";
import { dueShards } from "../job/ports.ts";
import { deliveryDelayMs, isFree } from "./delivery.ts";
import type { DeliveryId } from "./ids.ts";
import type { Deliveries, DeliveryQueue } from "./ports.ts";
import { transitionDelivery } from "./transition-delivery.ts";

export type SweepDeliveriesPorts = {
  readonly deliveries: Deliveries;
  readonly deliveryQueue: DeliveryQueue;
  readonly clock: Clock;
  readonly policy: Pick<Policy, "arrivalMs">;
};

export type SweptDeliveries = { looked: number; sent: number; faults: unknown[] };

const pageSize = 100;
const atOnce = 10;
const reserveMs = 10_000;

/**
 * Finds every delivery that something should have happened to by now: a lost message, a lease that ran out, a long wait
 * that is over. As with jobs, the next look is written first, then a message sent. What goes wrong is told in `faults`.
 */
export async function sweepDeliveries(
  ports: SweepDeliveriesPorts,
  leftMs: () => number,
): Promise<SweptDeliveries> {
  const swept: SweptDeliveries = { looked: 0, sent: 0, faults: [] };
  const note = (error: unknown) => void swept.faults.push(error);
  const sweepShard = async (shard: number) => {
    const seen = new Set<DeliveryId>();
    while (leftMs() > reserveMs) {
      const due = await ports.deliveries.due(shard, ports.clock.now(), pageSize);
      const fresh = due.filter(({ id }) => !seen.has(id)); // the index lags behind our own writes
      if (fresh.length === 0) return;
      for (let from = 0; from < fresh.length && leftMs() > reserveMs; from += atOnce) {
        const some = fresh.slice(from, from + atOnce);
        for (const { id } of some) seen.add(id);
        await Promise.all(some.map(({ id }) => sweepDelivery(ports, id, swept).catch(note)));
      }
    }
  };
  await Promise.all(Array.from({ length: dueShards }, (_, shard) => sweepShard(shard).catch(note)));
  return swept;
}

async function sweepDelivery(
  { deliveries, deliveryQueue, clock, policy }: SweepDeliveriesPorts,
  id: DeliveryId,
  swept: SweptDeliveries,
): Promise<void> {
  const delivery = await deliveries.load(id);
  if (!delivery) return;
  swept.looked += 1;
  const at = clock.now();
  const looked = await transitionDelivery(deliveries, delivery, { type: "swept", at }, policy);
  if (looked.refused !== undefined || !isFree(looked.delivery, at)) return;
  const delay = deliveryDelayMs(looked.delivery, at);
  if (delay === null) return;
  await deliveryQueue.send(looked.delivery, looked.delivery.lane, delay);
  swept.sent += 1;
}
