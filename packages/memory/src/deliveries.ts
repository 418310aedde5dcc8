import { DomainError } from "@plantain/core/error";
import { shardOf } from "@plantain/core/id";
import { dueShards } from "@plantain/core/job/ports";
import { type Delivery, isResting, type Try } from "@plantain/core/webhook/delivery";
import type { WebhookEvent } from "@plantain/core/webhook/event";
import type { DeliveryId, EventId } from "@plantain/core/webhook/ids";
import type { Deliveries } from "@plantain/core/webhook/ports";

/** What the `Deliveries` port means, in memory. For tests. */
export function memoryDeliveries(): Deliveries {
  const events = new Map<EventId, WebhookEvent>();
  const stored = new Map<DeliveryId, { delivery: Delivery; tries: Map<number, Try> }>();
  const all = () => [...stored.values()].map(({ delivery }) => delivery);
  return {
    async announce({ event, deliveries }) {
      if (events.has(event.id)) return;
      events.set(event.id, structuredClone(event));
      for (const delivery of deliveries) {
        stored.set(delivery.id, { delivery: structuredClone(delivery), tries: new Map() });
      }
    },
    async load(id) {
      return structuredClone(stored.get(id)?.delivery ?? null);
    },
    async read(id) {
      const found = stored.get(id);
      const event = found && events.get(found.delivery.event);
      if (!found || !event) return null;
      const tries = [...found.tries.values()].sort((a, b) => a.number - b.number);
      return structuredClone({ delivery: found.delivery, event, tries });
    },
    async loadEvent(id) {
      return structuredClone(events.get(id) ?? null);
    },
    async write(from, to, ended) {
      const found = stored.get(to.id);
      if (!found) return { written: false, current: null };
      if (found.delivery.version !== from.version)
        return { written: false, current: structuredClone(found.delivery) };
      found.delivery = structuredClone(to);
      if (ended) found.tries.set(ended.number, structuredClone(ended));
      return { written: true };
    },
    async ofEvent(id) {
      return structuredClone(all().filter(({ event }) => event === id));
    },
    async ofDestination({ tenant, destination, since, cursor, limit }) {
      const after = cursor === null ? null : readCursor(cursor);
      const found = all()
        .filter((each) => each.tenant === tenant && each.destination === destination)
        .filter(({ eventAt }) => eventAt >= since)
        .map((delivery) => ({ delivery, key: eventKey(delivery) }))
        .filter(({ key }) => after === null || key < after)
        .sort((a, b) => (a.key < b.key ? 1 : -1));
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        deliveries: structuredClone(page.map(({ delivery }) => delivery)),
        next: last && found.length > limit ? Buffer.from(last.key).toString("base64url") : null,
      };
    },
    async due(shard, at, limit) {
      return all()
        .flatMap((delivery) =>
          isResting(delivery) ? [] : [{ id: delivery.id, event: delivery.event, dueAt: delivery.dueAt }],
        )
        .filter(({ event, dueAt }) => shardOf(event, dueShards) === shard && dueAt <= at)
        .sort((a, b) => a.dueAt - b.dueAt)
        .slice(0, limit)
        .map(({ id, dueAt }) => ({ id, dueAt }));
    },
  };
}

function eventKey({ eventAt, id }: Delivery): string {
  return `${String(eventAt).padStart(15, "0")}#${id}`;
}

function readCursor(cursor: string): string {
  const key = Buffer.from(cursor, "base64url").toString();
  if (/^\d{15}#dlv_/.test(key)) return key;
  throw new DomainError("invalid_cursor", "This cursor is none that a list gave", { field: "cursor" });
}
