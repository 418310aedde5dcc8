import type { Announcement, Delivery, Try } from "./delivery.ts";
import type { Endpoint, Lane, Signer, ValidPublicKey } from "./endpoint.ts";
import type { WebhookEvent } from "./event.ts";
import type { DeliveryId, Destination, EndpointId, EventId } from "./ids.ts";

/** What a write came to: `current` is what was there instead. */
export type Stored<T> = { readonly written: true } | { readonly written: false; readonly current: T | null };

/** All that is known of a delivery. */
export type DeliveryRecord = {
  readonly delivery: Delivery;
  readonly event: WebhookEvent;
  /** By number, ascending. */
  readonly tries: readonly Try[];
};

export type DeliveryPage = { readonly deliveries: readonly Delivery[]; readonly next: string | null };
export type DueDelivery = { readonly id: DeliveryId; readonly dueAt: number };

/** The truth about events and deliveries. Reads are consistent, except `ofDestination` and `due`. */
export interface Deliveries {
  /** Stores an event with its deliveries; does nothing where the event is there already. */
  announce(announcement: Announcement): Promise<void>;
  load(id: DeliveryId): Promise<Delivery | null>;
  read(id: DeliveryId): Promise<DeliveryRecord | null>;
  loadEvent(id: EventId): Promise<WebhookEvent | null>;
  /** Writes `to`, and a try that ended with it, if the store still holds `from`; else answers what it holds. */
  write(from: Delivery, to: Delivery, ended?: Try): Promise<Stored<Delivery>>;
  ofEvent(id: EventId): Promise<readonly Delivery[]>;
  /** Of one endpoint, or of a tenant's jobs to their own URLs; newest event first. `cursor` is the `next` of an earlier page. */
  ofDestination(query: {
    tenant: string;
    destination: Destination;
    /** Events from then on. */
    since: number;
    cursor: string | null;
    limit: number;
  }): Promise<DeliveryPage>;
  /** Deliveries of one shard that are due at `at`, earliest first. */
  due(shard: number, at: number, limit: number): Promise<readonly DueDelivery[]>;
}

/** Endpoints, and what signs for jobs with a URL of their own. Reads are consistent. */
export interface Endpoints {
  /** Oldest first. */
  list(tenant: string): Promise<readonly Endpoint[]>;
  load(tenant: string, id: EndpointId): Promise<Endpoint | null>;
  /** `false` where the tenant has `mostEndpoints` already, whoever else creates one at the same time. */
  create(endpoint: Endpoint): Promise<boolean>;
  /** Writes `to` if the store still holds `from`, together with an event that comes of it; else answers what it holds. */
  write(from: Endpoint, to: Endpoint, announcement?: Announcement): Promise<Stored<Endpoint>>;
  remove(endpoint: Endpoint): Promise<void>;
  /** What signs for the URLs that come with jobs of this tenant. */
  loadSigner(tenant: string): Promise<Signer | null>;
  /** @param from `null` where there is none yet */
  writeSigner(from: Signer | null, to: Signer): Promise<Stored<Signer>>;
  /** With what receivers verify `v1a`, the newest first; anybody may know it. None where there is no such endpoint. */
  publicKeys(id: EndpointId): Promise<readonly ValidPublicKey[]>;
}

/** Names a delivery to whoever is free in a lane. A hint: the truth is in `Deliveries`, and a lost message is sent again. */
export interface DeliveryQueue {
  send(delivery: { id: DeliveryId; tenant: string }, lane: Lane, delayMs: number): Promise<void>;
}

/** What is posted where. */
export type Posting = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
};

/** What came of it. `code` of a failure is a closed list of the sender's; `timed_out` is in it. */
export type Posted =
  | {
      readonly type: "answered";
      readonly status: number;
      readonly retryAfter: string | null;
      readonly body: Uint8Array;
      readonly isWhole: boolean;
      readonly ms: number;
    }
  | { readonly type: "failed"; readonly code: string; readonly message: string; readonly ms: number };

/** Sends to addresses of the Internet, and nowhere else. Whatever the receiver does is an answer. */
export interface Sender {
  send(posting: Posting): Promise<Posted>;
}
