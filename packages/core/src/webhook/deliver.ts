import type { Clock, Random } from "../clock.ts";
import type { Policy } from "../job/policy.ts";
import type { JobRecord, Jobs } from "../job/ports.ts";
import { advanceDelivery, deliveryLeaseMs } from "./advance-delivery.ts";
import { type DeliveringDelivery, type Delivery, deliveryDelayMs, isResting, type Try } from "./delivery.ts";
import {
  type Endpoint,
  fastMs,
  type Lane,
  secretsAt,
  signingKeysAt,
  slowMs,
  withoutSlot,
  withSlot,
} from "./endpoint.ts";
import type { WebhookEvent } from "./event.ts";
import { health } from "./health.ts";
import { type DeliveryId, webhookId } from "./ids.ts";
import type { Deliveries, DeliveryQueue, Endpoints, Posted, Sender } from "./ports.ts";
import { retryAfterMs } from "./schedule.ts";
import { type Secret, type SigningKey, signedHeaders } from "./signature.ts";
import { transitionDelivery } from "./transition-delivery.ts";

export type DeliverPorts = {
  readonly deliveries: Deliveries;
  readonly endpoints: Endpoints;
  readonly deliveryQueue: DeliveryQueue;
  readonly jobs: Pick<Jobs, "read">;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Pick<Policy, "arrivalMs">;
  /** The body that tells of an event; `record` is its job. */
  readonly render: (event: WebhookEvent, record: JobRecord | null) => Promise<string>;
};

/** What came of a message, for the log. Of a try that was made there is `error`, `null` where it was a success. */
export type DeliverEnd = {
  readonly ended:
    | "absent"
    | "over"
    | "leased"
    | "not_due"
    | "not_parked"
    | "moved"
    | "postponed"
    | "parked"
    | "orphaned"
    | "exhausted"
    | "lease_lost"
    | "delivered"
    | "failed";
  readonly number?: number;
  readonly status?: number;
  readonly error?: string;
};

/** Where a delivery goes, with what signs for it and what it tells. */
type Target = {
  readonly endpoint: Endpoint | null;
  readonly url: string;
  readonly secrets: readonly Secret[];
  readonly signingKeys: readonly SigningKey[];
  readonly event: WebhookEvent;
  readonly record: JobRecord | null;
};

/** What a try has to end before its lease does, whatever two clocks say. */
const leaseMarginMs = 5_000;

/** A message that comes this much too early is waited for. */
const waitInPlaceMs = 1_000;

/**
 * Makes the try that a message names, if it is there to be made: claimed under a lease first, told in the log after, and
 * put off to the slow lane where the receiver is known to be slow.
 * @param lane the one that the message came by
 */
export async function deliver(ports: DeliverPorts, id: DeliveryId, lane: Lane): Promise<DeliverEnd> {
  const { deliveries, deliveryQueue, clock, policy, random } = ports;
  for (;;) {
    const delivery = await deliveries.load(id);
    if (!delivery) return { ended: "absent" };
    if (delivery.status === "parked") {
      if (!(await isAwaited(ports, delivery))) return { ended: "parked" };
      await transitionDelivery(deliveries, delivery, { type: "resumed", at: clock.now() }, policy);
      continue;
    }
    const claim = advanceDelivery(delivery, { type: "claimed", at: clock.now() }, policy);
    if ("refused" in claim) {
      if ((await putOff(ports, delivery, lane)) === "again") continue;
      return { ended: claim.refused };
    }
    const target = await targetOf(ports, delivery);
    const at = clock.now();
    if (!target) {
      await transitionDelivery(deliveries, delivery, { type: "orphaned", at }, policy);
      return { ended: "orphaned" };
    }
    const { endpoint } = target;
    if (endpoint?.disabled) {
      await transitionDelivery(deliveries, delivery, { type: "parked", at }, policy);
      // Who enabled it since it was looked at didn't see this one parked: once more from the beginning
      continue;
    }
    if (lane === "fast" && (delivery.lane === "slow" || endpoint?.lane === "slow")) {
      await deliveryQueue.send(delivery, "slow", 0);
      return { ended: "moved" };
    }
    if (endpoint?.lane === "slow" && !(await takeSlot(ports, endpoint, id))) {
      const fact = { type: "postponed", at, random: random.fraction() } as const;
      const postponed = await transitionDelivery(deliveries, delivery, fact, policy);
      if (postponed.refused === undefined) await sendLater(ports, postponed.delivery);
      return { ended: "postponed" };
    }
    // Not as of the look at the endpoint: to take the slot may have used up most of a lease
    const now = { type: "claimed", at: clock.now() } as const;
    const claimed = await transitionDelivery(deliveries, delivery, now, policy);
    if (claimed.refused === undefined && claimed.delivery.status === "delivering")
      return attempt(ports, claimed.delivery, target, lane);
    if (endpoint) await leaveSlot(ports, endpoint, id);
    return { ended: claimed.refused ?? "exhausted" };
  }
}

/** Whether the endpoint of a parked delivery is enabled. */
async function isAwaited({ endpoints }: DeliverPorts, { tenant, destination }: Delivery): Promise<boolean> {
  const endpoint = destination === "inline" ? null : await endpoints.load(tenant, destination);
  return endpoint !== null && endpoint.disabled === null;
}

async function putOff(ports: DeliverPorts, delivery: Delivery, lane: Lane): Promise<"again" | null> {
  const { deliveryQueue, clock } = ports;
  if (delivery.status !== "pending") return null;
  const wait = delivery.nextTryAt - clock.now();
  if (wait <= waitInPlaceMs) {
    await clock.sleep(Math.max(0, wait));
    return "again";
  }
  const delay = deliveryDelayMs(delivery, clock.now());
  if (delay !== null) await deliveryQueue.send(delivery, lane, delay);
  return null;
}

/** `null` where there is nowhere to send to any more. */
async function targetOf(
  { deliveries, endpoints, jobs, clock }: DeliverPorts,
  { event: eventId, tenant, destination, jobId }: Delivery,
): Promise<Target | null> {
  const [event, record] = await Promise.all([
    deliveries.loadEvent(eventId),
    jobId === null ? null : jobs.read(jobId),
  ]);
  if (!event || (jobId !== null && !record)) return null;
  if (destination !== "inline") {
    const endpoint = await endpoints.load(tenant, destination);
    if (!endpoint) return null;
    const at = clock.now();
    const signing = { secrets: secretsAt(endpoint, at), signingKeys: signingKeysAt(endpoint, at) };
    return { endpoint, url: endpoint.url, ...signing, event, record };
  }
  const webhook = record?.request.webhook;
  if (!webhook) return null;
  const signer = await endpoints.loadSigner(tenant);
  const secrets = webhook.secret ? [webhook.secret] : signer ? secretsAt(signer, clock.now()) : [];
  if (secrets.length === 0) return null;
  return {
    endpoint: null,
    url: webhook.url,
    secrets,
    signingKeys: signer ? signingKeysAt(signer, clock.now()) : [],
    event,
    record,
  };
}

async function attempt(
  ports: DeliverPorts,
  claimed: DeliveringDelivery,
  { endpoint, url, secrets, signingKeys, event, record }: Target,
  lane: Lane,
): Promise<DeliverEnd> {
  const { deliveries, sender, clock, random, policy, render } = ports;
  const body = await render(event, record);
  const startedAt = clock.now();
  const timeoutMs = lane === "fast" ? fastMs : slowMs;
  // Who froze since the claim must not send what another may be sending now
  if (startedAt + timeoutMs + leaseMarginMs > claimed.leaseUntil) return { ended: "lease_lost" };
  const headers = signedHeaders({
    id: webhookId(claimed.event, claimed.destination),
    timestampSeconds: Math.floor(startedAt / 1_000),
    body,
    secrets,
    signingKeys,
  });
  const posted = await sender.send({
    url,
    headers: { "content-type": "application/json", "user-agent": "Plantain-Webhooks/1", ...headers },
    body,
    timeoutMs,
  });
  const ended = tryOf(claimed.fence, startedAt, posted);
  const at = clock.now();
  const { fence } = claimed;
  const timedOut = ended.error === "timed_out";
  const gone = ended.error === "gone";
  const asked = posted.type === "answered" && [429, 503].includes(posted.status) ? posted.retryAfter : null;
  const wait = retryAfterMs(asked, at);
  const fact =
    ended.error === null
      ? ({ type: "delivered", at, fence } as const)
      : ({
          type: "failed",
          at,
          fence,
          timedOut,
          gone,
          retryAfterMs: wait,
          random: random.fraction(),
        } as const);
  const written = await transitionDelivery(deliveries, claimed, fact, policy, ended);
  if (endpoint) {
    const outcome = ended.error === null ? "taken" : timedOut ? "timed_out" : gone ? "gone" : "failed";
    await health(ports, endpoint, claimed.id, { at, ms: ended.ms, outcome });
  }
  if (written.refused === undefined) await sendLater(ports, written.delivery);
  return {
    ended: written.refused ? "lease_lost" : ended.error === null ? "delivered" : "failed",
    number: fence,
    ...(ended.status === null ? {} : { status: ended.status }),
    ...(ended.error === null ? {} : { error: ended.error }),
  };
}

function tryOf(number: number, startedAt: number, posted: Posted): Try {
  const { ms } = posted;
  if (posted.type === "failed") {
    const { code, message } = posted;
    return { number, startedAt, ms, status: null, error: code, message, answer: null, isWhole: true };
  }
  const { status, body, isWhole } = posted;
  const answer = new TextDecoder().decode(body);
  return { number, startedAt, ms, status, error: errorOf(status), message: null, answer, isWhole };
}

/** Redirects are not followed: they would lead to where nobody looked. */
function errorOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status === 410) return "gone";
  if (status >= 300 && status < 400) return "redirected";
  return status >= 500 ? "server_error" : "rejected";
}

async function sendLater({ deliveryQueue, clock }: DeliverPorts, delivery: Delivery): Promise<void> {
  if (isResting(delivery)) return;
  const delay = deliveryDelayMs(delivery, clock.now());
  // A second more than the wait, so that the message doesn't come early
  if (delay !== null) await deliveryQueue.send(delivery, delivery.lane, delay + 1_000);
}

async function takeSlot(
  { endpoints, clock }: DeliverPorts,
  endpoint: Endpoint,
  id: DeliveryId,
): Promise<boolean> {
  let from = endpoint;
  for (;;) {
    const to = withSlot(from, id, clock.now(), clock.now() + deliveryLeaseMs);
    if (!to) return false;
    const written = await endpoints.write(from, to);
    if (written.written) return true;
    if (!written.current) return false;
    from = written.current;
  }
}

async function leaveSlot({ endpoints }: DeliverPorts, endpoint: Endpoint, id: DeliveryId): Promise<void> {
  let from: Endpoint | null = await endpoints.load(endpoint.tenant, endpoint.id);
  while (from) {
    const to = withoutSlot(from, id);
    if (to === from) return;
    const written = await endpoints.write(from, to);
    if (written.written) return;
    from = written.current;
  }
}
