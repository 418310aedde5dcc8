import type { Clock } from "../clock.ts";
import { DomainError } from "../error.ts";
import type { Policy } from "../job/policy.ts";
import { type Delivery, type DeliveryStatus, isKept, keptSince } from "./delivery.ts";
import type { Endpoint } from "./endpoint.ts";
import { type Destination, isDeliveryId } from "./ids.ts";
import { refuseDisabled } from "./manage-endpoints.ts";
import type { Deliveries, DeliveryQueue, DeliveryRecord, Endpoints } from "./ports.ts";
import { transitionDelivery } from "./transition-delivery.ts";

type Ports = {
  readonly deliveries: Deliveries;
  readonly endpoints: Endpoints;
  readonly deliveryQueue: DeliveryQueue;
  readonly clock: Clock;
  readonly policy: Pick<Policy, "arrivalMs">;
};

/** @throws DomainError `delivery_not_found`, the same for one that is absent or too old and for another tenant's */
export async function findDelivery(
  { deliveries, clock }: Pick<Ports, "deliveries" | "clock">,
  tenant: string,
  id: string,
): Promise<DeliveryRecord> {
  const record = isDeliveryId(id) ? await deliveries.read(id) : null;
  if (record?.delivery.tenant === tenant && isKept(record.delivery, clock.now())) return record;
  throw new DomainError("delivery_not_found", `There is no delivery "${id}"`);
}

/**
 * Delivers once more, whatever came of it before: at once, with the whole schedule to follow, under the same webhook-id.
 * @throws DomainError `delivery_not_found`, `delivery_in_progress`, `endpoint_not_found`, `endpoint_disabled`
 */
export async function redeliver(ports: Ports, tenant: string, id: string): Promise<Delivery> {
  const { delivery } = await findDelivery(ports, tenant, id);
  const { destination } = delivery;
  if (destination !== "inline") {
    const endpoint = await ports.endpoints.load(tenant, destination);
    if (!endpoint)
      throw new DomainError("endpoint_not_found", `There is no endpoint "${destination}" any more`);
    refuseDisabled(endpoint);
  }
  const again = await deliverAgain(ports, delivery, "redelivered");
  if (again) return again;
  throw new DomainError("delivery_in_progress", `Delivery "${id}" is being tried this very moment`);
}

export type Recovered = { readonly recovered: number; readonly isComplete: boolean };

const pageSize = 100;
const atOnce = 20;

/**
 * Sends on its way what is parked at an endpoint that is enabled, however old its event: it may have been delivered again
 * and parked yesterday. As much as there is time for; the same call again goes on.
 */
export function resume(ports: Ports, endpoint: Endpoint, leftMs: () => number): Promise<Recovered> {
  return recoverSome(ports, endpoint, 0, { of: ["parked"], by: "resumed" }, leftMs);
}

/**
 * Delivers again whatever an endpoint didn't get of the events since then: what is exhausted or parked. As much as there is
 * time for; the same call again goes on.
 * @throws DomainError `endpoint_disabled`
 */
export async function recover(
  ports: Ports,
  endpoint: Endpoint,
  since: number,
  leftMs: () => number,
): Promise<Recovered> {
  refuseDisabled(endpoint);
  return recoverSome(ports, endpoint, since, { of: ["exhausted", "parked"], by: "redelivered" }, leftMs);
}

async function recoverSome(
  ports: Ports,
  { tenant, id }: { tenant: string; id: Destination },
  since: number,
  { of, by }: { of: readonly DeliveryStatus[]; by: Again },
  leftMs: () => number,
): Promise<Recovered> {
  let cursor: string | null = null;
  let recovered = 0;
  const kept = Math.max(since, keptSince(ports.clock.now()));
  do {
    const query = { tenant, destination: id, since: kept, cursor, limit: pageSize };
    const page = await ports.deliveries.ofDestination(query);
    const missed = page.deliveries.filter(({ status }) => of.includes(status));
    for (let from = 0; from < missed.length; from += atOnce) {
      if (leftMs() <= 0) return { recovered, isComplete: false };
      const again = await Promise.all(
        missed.slice(from, from + atOnce).map((each) => deliverAgain(ports, each, by)),
      );
      recovered += again.filter((each) => each !== null).length;
    }
    cursor = page.next;
  } while (cursor !== null && leftMs() > 0);
  return { recovered, isComplete: cursor === null };
}

type Again = "redelivered" | "resumed";

async function deliverAgain(
  { deliveries, deliveryQueue, clock, policy }: Ports,
  delivery: Delivery,
  type: Again,
): Promise<Delivery | null> {
  const fact = { type, at: clock.now() };
  const again = await transitionDelivery(deliveries, delivery, fact, policy);
  if (again.refused !== undefined) return null;
  // What can't be sent is the sweep's
  await deliveryQueue.send(again.delivery, again.delivery.lane, 0).catch(() => undefined);
  return again.delivery;
}
