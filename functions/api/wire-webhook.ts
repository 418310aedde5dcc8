import type { Delivery, Try } from "@plantain/core/webhook/delivery";
import { type Endpoint, publicKeysOf, type Signer, validAt } from "@plantain/core/webhook/endpoint";
import { webhookId } from "@plantain/core/webhook/ids";
import type { DeliveryRecord } from "@plantain/core/webhook/ports";

/*
 * Endpoints and deliveries as the wire shows them.
 */

const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());

/** Where the public keys of an endpoint are, for everybody. */
export function jwksPath(id: string): string {
  return `/.well-known/webhooks/${id}/jwks.json`;
}

/** Secrets are shown only in answer to the request that made them. */
export function wireEndpoint(endpoint: Endpoint, at: number) {
  const { id, url, events, description, disabled, failingSince, lane, createdAt } = endpoint;
  return {
    id,
    object: "endpoint",
    url,
    events,
    description,
    enabled: disabled === null,
    disabled: disabled && { at: time(disabled.at), reason: disabled.reason },
    failing_since: time(failingSince),
    lane,
    created_at: time(createdAt),
    ...wireKeys(endpoint, at),
    links: {
      self: `/v1/endpoints/${id}`,
      deliveries: `/v1/deliveries?endpoint=${id}`,
      jwks: jwksPath(id),
    },
  };
}

/** What signs for the URLs that come with jobs. */
export function wireSigner(signer: Signer, at: number) {
  const { id, createdAt } = signer;
  return {
    object: "webhook_secret",
    created_at: time(createdAt),
    ...wireKeys(signer, at),
    links: { self: "/v1/webhook-secret", jwks: jwksPath(id) },
  };
}

function wireKeys(signer: Signer, at: number) {
  return {
    secrets: validAt(signer.secrets, at).map(({ until }) => ({ signs_until: time(until) })),
    public_key: publicKeysOf(signer)[0]?.publicKey ?? null,
  };
}

/** The secret that signs now, for the one answer that shows it. */
export function currentSecret({ secrets }: Signer): string | null {
  return secrets[0]?.secret ?? null;
}

/** What a list shows of a delivery. */
export function wireDelivery(delivery: Delivery) {
  const { id, event, type, eventAt, destination, jobId, status, fence, lane } = delivery;
  return {
    id,
    object: "delivery",
    webhook_id: webhookId(event, destination),
    event: { id: event, type, at: time(eventAt) },
    job_id: jobId,
    /** `null` where it goes to the URL that came with the job. */
    endpoint: destination === "inline" ? null : destination,
    status,
    reason: delivery.status === "exhausted" ? delivery.reason : null,
    try_count: fence,
    next_try_at: delivery.status === "pending" ? time(delivery.nextTryAt) : null,
    ended_at: "endedAt" in delivery ? time(delivery.endedAt) : null,
    lane,
    links: { self: `/v1/deliveries/${id}`, redeliver: `/v1/deliveries/${id}/redeliver` },
  };
}

/** A delivery with its log. */
export function wireDeliveryRecord({ delivery, tries }: DeliveryRecord) {
  const { links, ...shown } = wireDelivery(delivery);
  return { ...shown, tries: tries.map(wireTry), links };
}

function wireTry({ number, startedAt, ms, status, error, message, answer, isWhole }: Try) {
  return {
    number,
    at: time(startedAt),
    ms,
    status,
    error,
    message,
    answer: answer === null ? null : { text: answer, is_whole: isWhole },
  };
}
