import type { JobId } from "../id.ts";
import type { EndpointId, EventId } from "./ids.ts";

export const jobEventTypes = ["job.succeeded", "job.failed", "job.canceled"] as const;
/** What an endpoint may ask to hear of; a `ping` it hears whenever somebody asks for one. */
export const subscribableTypes = [...jobEventTypes, "endpoint.disabled"] as const;
export const eventTypes = [...subscribableTypes, "ping"] as const;

export type JobEventType = (typeof jobEventTypes)[number];
export type SubscribableType = (typeof subscribableTypes)[number];
export type EventType = (typeof eventTypes)[number];

/** Why an endpoint was disabled: by its owner, by its own answer 410, or after days of failures alone. */
export const disabledReasons = ["owner", "gone", "failing"] as const;
export type DisabledReason = (typeof disabledReasons)[number];

type Base = { readonly id: EventId; readonly tenant: string; readonly at: number };

/** Something that endpoints are told of. Of a job it says which, and not what the job is like: that is read when it is told. */
export type WebhookEvent = Base &
  (
    | { readonly type: JobEventType; readonly jobId: JobId }
    | {
        readonly type: "endpoint.disabled";
        readonly endpoint: EndpointId;
        readonly reason: DisabledReason;
        readonly failingSince: number | null;
      }
    | { readonly type: "ping"; readonly endpoint: EndpointId }
  );
