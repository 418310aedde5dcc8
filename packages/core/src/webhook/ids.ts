import { sha256Hex } from "../hash.ts";
import { base32, idText, type JobId } from "../id.ts";

export type EventId = `evt_${string}`;
export type EndpointId = `ep_${string}`;
/** `dlv_<event>_<destination>`, each without its prefix: it names its item in the store. */
export type DeliveryId = `dlv_${string}`;

/** Where a delivery goes: a registered endpoint, or the URL that came with the job itself. */
export type Destination = EndpointId | "inline";

const idPattern = "[0-7][0-9a-hjkmnp-tv-z]{25}";
const eventIdPattern = new RegExp(`^evt_${idPattern}$`);
const endpointIdPattern = new RegExp(`^ep_${idPattern}$`);

export function newEventId(at: number, entropy: Uint8Array): EventId {
  return `evt_${idText(at, entropy)}`;
}

/** A job ends once, so its event has its id: whoever tells of it again tells the same. */
export function jobEventId(id: JobId): EventId {
  return `evt_${id.slice("job_".length)}`;
}

export function newEndpointId(at: number, entropy: Uint8Array): EndpointId {
  return `ep_${idText(at, entropy)}`;
}

export function isEventId(text: string): text is EventId {
  return eventIdPattern.test(text);
}

export function isEndpointId(text: string): text is EndpointId {
  return endpointIdPattern.test(text);
}

export function isDestination(text: string): text is Destination {
  return text === "inline" || isEndpointId(text);
}

export function deliveryId(event: EventId, destination: Destination): DeliveryId {
  return `dlv_${event.slice("evt_".length)}_${destination === "inline" ? destination : destination.slice("ep_".length)}`;
}

/** What a delivery's id names; `null` where it is none. */
export function partsOf(id: string): { event: EventId; destination: Destination } | null {
  const [, ofEvent = "", ofDestination = ""] = /^dlv_([^_]+)_([^_]+)$/.exec(id) ?? [];
  const event = `evt_${ofEvent}`;
  const destination = ofDestination === "inline" ? ofDestination : `ep_${ofDestination}`;
  return isEventId(event) && isDestination(destination) ? { event, destination } : null;
}

export function isDeliveryId(text: string): text is DeliveryId {
  return partsOf(text) !== null;
}

/** The `webhook-id` of an event at a destination, whatever is tried and whenever: by it receivers know a repetition. */
export function webhookId(event: EventId, destination: Destination): string {
  return `msg_${base32(BigInt(`0x${sha256Hex(`${event} ${destination}`)}`), 52)}`;
}
