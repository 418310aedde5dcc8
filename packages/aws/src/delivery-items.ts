import { isJobId, shardOf } from "@plantain/core/id";
import { dueShards } from "@plantain/core/job/ports";
import {
  type Announcement,
  type Delivery,
  exhaustedReasons,
  forgottenAt,
  isResting,
  type Try,
} from "@plantain/core/webhook/delivery";
import { disabledReasons, eventTypes, jobEventTypes, type WebhookEvent } from "@plantain/core/webhook/event";
import {
  type DeliveryId,
  type Destination,
  type EventId,
  isDeliveryId,
  isDestination,
  isEndpointId,
  isEventId,
  partsOf,
} from "@plantain/core/webhook/ids";
import * as z from "zod";
import type { Item, TransactItem } from "./conditional-writes.ts";
import { eventPrefix, tableKey } from "./table.ts";

/*
 * How an event lies in the table: one partition `EVT#<id>` with EVENT, a DLV#<destination> for each delivery, and below it
 * a DLV#<destination>#TRY#<n> for each try. All of it goes away at one time.
 */

const Time = z.number().int();
const Count = z.number().int().nonnegative();
const DeliveryIdText = z.string().refine(isDeliveryId, "Not a delivery id");
const EventIdText = z.string().refine(isEventId, "Not an event id");
const EndpointIdText = z.string().refine(isEndpointId, "Not an endpoint id");
const JobIdText = z.string().refine(isJobId, "Not a job id");

const event = { id: EventIdText, tenant: z.string(), at: Time };
const EventItem = z.discriminatedUnion("type", [
  z.object({ ...event, type: z.enum(jobEventTypes), jobId: JobIdText }),
  z.object({
    ...event,
    type: z.literal("endpoint.disabled"),
    endpoint: EndpointIdText,
    reason: z.enum(disabledReasons),
    failingSince: Time.nullable(),
  }),
  z.object({ ...event, type: z.literal("ping"), endpoint: EndpointIdText }),
]);

const base = {
  id: DeliveryIdText,
  event: EventIdText,
  type: z.enum(eventTypes),
  tenant: z.string(),
  jobId: JobIdText.nullable(),
  destination: z.string().refine(isDestination, "Not a destination"),
  eventAt: Time,
  fence: Count,
  spent: Count,
  postponed: Count,
  lane: z.enum(["fast", "slow"]),
  version: Count,
};
const unfinished = { ...base, dueAt: Time, checks: Count };
const resting = { ...base, endedAt: Time };
const DeliveryItem = z.discriminatedUnion("status", [
  z.object({ ...unfinished, status: z.literal("pending"), nextTryAt: Time }),
  z.object({ ...unfinished, status: z.literal("delivering"), claimedAt: Time, leaseUntil: Time }),
  z.object({ ...resting, status: z.literal("delivered") }),
  z.object({ ...resting, status: z.literal("exhausted"), reason: z.enum(exhaustedReasons) }),
  z.object({ ...resting, status: z.literal("parked") }),
]);

const TryItem = z.object({
  number: Count,
  startedAt: Time,
  ms: z.number(),
  status: z.number().int().nullable(),
  error: z.string().nullable(),
  message: z.string().nullable(),
  answer: z.string().nullable(),
  isWhole: z.boolean(),
});

export const eventSortKey = "EVENT";
const deliveryPrefix = "DLV#";
const tryInfix = "#TRY#";

export type Key = { readonly pk: string; readonly sk: string };

export function eventKey(id: EventId): Key {
  return { pk: `${eventPrefix}${id}`, sk: eventSortKey };
}

export function deliveryKey(id: DeliveryId): Key {
  const parts = partsOf(id);
  if (!parts) throw new Error(`Cannot find a delivery: "${id}" is no id of one`);
  return { pk: eventKey(parts.event).pk, sk: `${deliveryPrefix}${parts.destination}` };
}

/** Of all tries of a delivery, the beginning of the sort key. */
export function triesPrefix(id: DeliveryId): string {
  return `${deliveryKey(id).sk}${tryInfix}`;
}

/** In the index, where a destination's deliveries are in the order of their events. */
export function endpointKey(tenant: string, destination: Destination): string {
  return destination === "inline" ? `${destination}#${tenant}` : destination;
}

export function eventOrderKey(at: number, id: DeliveryId | ""): string {
  return `${String(at).padStart(15, "0")}#${id}`;
}

export function deliveryShard(shard: number): string {
  return `D#${shard}`;
}

/** When DynamoDB is to delete what there is of an event. */
function expiry(eventAt: number): Item {
  return { [tableKey.expiry]: Math.ceil(forgottenAt(eventAt) / 1_000) };
}

export function deliveryItem(delivery: Delivery, writeId: string): Item {
  const { id, tenant, destination, eventAt, event: eventId } = delivery;
  return {
    ...delivery,
    ...deliveryKey(id),
    endpointKey: endpointKey(tenant, destination),
    eventKey: eventOrderKey(eventAt, id),
    ...expiry(eventAt),
    writeId,
    ...(isResting(delivery) ? {} : { dueShard: deliveryShard(shardOf(eventId, dueShards)) }),
  };
}

export function tryItem({ id, eventAt }: Delivery, ended: Try): Item {
  const { pk } = deliveryKey(id);
  const sk = `${triesPrefix(id)}${String(ended.number).padStart(6, "0")}`;
  return { pk, sk, ...ended, ...expiry(eventAt) };
}

/** The puts that store an event with its deliveries. */
export function announcementItems(table: string, { event: told, deliveries }: Announcement): TransactItem[] {
  return [
    { Put: { TableName: table, Item: { ...eventKey(told.id), ...told, ...expiry(told.at) } } },
    ...deliveries.map((delivery) => ({
      Put: { TableName: table, Item: deliveryItem(delivery, "announced") },
    })),
  ];
}

/** A delivery, and not one of its tries, by the sort key. */
export function isDeliveryItem({ sk }: Item): boolean {
  return String(sk).startsWith(deliveryPrefix) && !String(sk).includes(tryInfix);
}

export function parseEvent(item: Item): WebhookEvent {
  return EventItem.parse(item);
}

export function parseDelivery(item: Item): Delivery {
  return DeliveryItem.parse(item);
}

export function parseTry(item: Item): Try {
  return TryItem.parse(item);
}

/** The delivery that an entry of an index names. */
export function deliveryIn({ pk, sk }: Item): DeliveryId {
  const id = `dlv_${String(pk).slice(`${eventPrefix}evt_`.length)}_${String(sk).replace(/^DLV#(ep_)?/, "")}`;
  if (!isDeliveryId(id))
    throw new Error(`Cannot read index entry: "${String(pk)}" "${String(sk)}" is no delivery`);
  return id;
}
