import type { Clock, Random } from "../clock.ts";
import { idEntropyBytes } from "../id.ts";
import type { Policy } from "../job/policy.ts";
import { sendAnnounced, subscribers } from "./announce.ts";
import { type Announcement, newDelivery } from "./delivery.ts";
import { type Endpoint, type Heard, heard, withoutSlot } from "./endpoint.ts";
import type { WebhookEvent } from "./event.ts";
import { type DeliveryId, newEventId } from "./ids.ts";
import type { DeliveryQueue, Endpoints } from "./ports.ts";

type Ports = {
  readonly endpoints: Endpoints;
  readonly deliveryQueue: DeliveryQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Pick<Policy, "arrivalMs">;
};

/** Notes at an endpoint how a try ended. One that is disabled by that is told of to the tenant's others, in one transaction. */
export async function health(
  ports: Ports,
  { tenant, id }: Endpoint,
  delivery: DeliveryId,
  about: Heard,
): Promise<void> {
  const { endpoints } = ports;
  let from = await endpoints.load(tenant, id);
  while (from) {
    const to = withoutSlot(heard(from, about), delivery);
    if (to === from) return;
    const isNewlyDisabled = to.disabled !== null && from.disabled === null;
    const announcement = isNewlyDisabled ? await disabledAnnouncement(ports, to, about.at) : null;
    const written = await endpoints.write(from, to, announcement ?? undefined);
    if (written.written) {
      // What can't be sent now is the sweep's
      if (announcement) await sendAnnounced(ports, announcement, () => undefined);
      return;
    }
    from = written.current;
  }
}

async function disabledAnnouncement(
  { endpoints, random, policy }: Ports,
  { id, tenant, disabled, failingSince }: Endpoint,
  at: number,
): Promise<Announcement | null> {
  const others = (await subscribers(endpoints, tenant, "endpoint.disabled")).filter(
    (each) => each.id !== id && each.disabled === null,
  );
  if (others.length === 0 || !disabled) return null;
  const event: WebhookEvent = {
    id: newEventId(at, random.bytes(idEntropyBytes)),
    type: "endpoint.disabled",
    tenant,
    at,
    endpoint: id,
    reason: disabled.reason,
    failingSince,
  };
  return { event, deliveries: others.map((each) => newDelivery(event, each, policy)) };
}
