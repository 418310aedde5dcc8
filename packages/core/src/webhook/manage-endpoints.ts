import type { Clock, Random } from "../clock.ts";
import { DomainError } from "../error.ts";
import { idEntropyBytes } from "../id.ts";
import type { Policy } from "../job/policy.ts";
import { sendAnnounced } from "./announce.ts";
import { type Delivery, newDelivery } from "./delivery.ts";
import {
  type Endpoint,
  type EndpointSettings,
  mostEndpoints,
  mostSecrets,
  type NextSigner,
  newEndpoint,
  newSigner,
  rotated,
  type Signer,
} from "./endpoint.ts";
import type { WebhookEvent } from "./event.ts";
import { isEndpointId, newEventId } from "./ids.ts";
import type { Deliveries, DeliveryQueue, Endpoints } from "./ports.ts";
import { keyEntropyBytes, newSecret, newSigningKey, type Secret } from "./signature.ts";

export type ManagePorts = {
  readonly endpoints: Endpoints;
  readonly deliveries: Deliveries;
  readonly deliveryQueue: DeliveryQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Pick<Policy, "arrivalMs">;
};

type Registration = EndpointSettings & { readonly enabled: boolean; readonly secret: Secret | null };

/** @throws DomainError `too_many_endpoints` */
export async function registerEndpoint(
  { endpoints, clock, random }: ManagePorts,
  tenant: string,
  { enabled, secret, ...settings }: Registration,
): Promise<Endpoint> {
  const endpoint = newEndpoint(newSigner(tenant, clock.now(), random, secret), settings, enabled);
  if (await endpoints.create(endpoint)) return endpoint;
  throw new DomainError(
    "too_many_endpoints",
    `There are ${mostEndpoints} endpoints already, which is the most; remove one first`,
  );
}

/** @throws DomainError `endpoint_not_found`, the same for one that is absent and for another tenant's */
export async function findEndpoint(
  { endpoints }: Pick<ManagePorts, "endpoints">,
  tenant: string,
  id: string,
): Promise<Endpoint> {
  const endpoint = isEndpointId(id) ? await endpoints.load(tenant, id) : null;
  if (!endpoint) throw notFound(id);
  return endpoint;
}

/**
 * Gives an endpoint a new secret, its owner's or ours, and a new key; what signed before signs on for `overlapMs`.
 * @throws DomainError `endpoint_not_found`, `too_many_secrets`
 */
export async function rotateSecret(
  ports: ManagePorts,
  tenant: string,
  id: string,
  secret: Secret | null,
  overlapMs: number,
): Promise<Endpoint> {
  const next = nextSigner(ports, secret);
  return rewrite(ports, tenant, id, (endpoint) => replaced(endpoint, next, ports.clock.now(), overlapMs));
}

/**
 * Stores an endpoint as `change` makes it of whatever is there.
 * @throws DomainError `endpoint_not_found`
 */
export async function rewrite(
  { endpoints }: Pick<ManagePorts, "endpoints">,
  tenant: string,
  id: string,
  change: (endpoint: Endpoint) => Endpoint,
): Promise<Endpoint> {
  let from = await findEndpoint({ endpoints }, tenant, id);
  for (;;) {
    const to = change(from);
    const written = await endpoints.write(from, to);
    if (written.written) return to;
    if (!written.current) throw notFound(id);
    from = written.current;
  }
}

/** Sends an endpoint a `ping`, which is a delivery like any other. */
export async function ping(
  ports: ManagePorts,
  tenant: string,
  id: string,
  onUnsent: (error: unknown) => void,
): Promise<Delivery> {
  const { clock, random, deliveries, policy } = ports;
  const endpoint = await findEndpoint(ports, tenant, id);
  refuseDisabled(endpoint);
  const at = clock.now();
  const event: WebhookEvent = {
    id: newEventId(at, random.bytes(idEntropyBytes)),
    type: "ping",
    tenant,
    at,
    endpoint: endpoint.id,
  };
  const delivery = newDelivery(event, endpoint, policy);
  const announcement = { event, deliveries: [delivery] };
  await deliveries.announce(announcement);
  await sendAnnounced(ports, announcement, onUnsent);
  return delivery;
}

/** @throws DomainError `endpoint_disabled` */
export function refuseDisabled({ id, disabled }: Endpoint): void {
  if (!disabled) return;
  throw new DomainError("endpoint_disabled", `Endpoint "${id}" is disabled; enable it first`);
}

/** What signs for the URLs that come with a tenant's jobs; made when it is first needed. */
export async function signerOf(
  { endpoints, clock, random }: Pick<ManagePorts, "endpoints" | "clock" | "random">,
  tenant: string,
): Promise<Signer> {
  const known = await endpoints.loadSigner(tenant);
  if (known) return known;
  const made = newSigner(tenant, clock.now(), random);
  const written = await endpoints.writeSigner(null, made);
  return written.written ? made : (written.current ?? made);
}

/** As `rotateSecret`, for the URLs that come with jobs. */
export async function rotateSigner(
  ports: ManagePorts,
  tenant: string,
  secret: Secret | null,
  overlapMs: number,
): Promise<Signer> {
  const next = nextSigner(ports, secret);
  let from = await signerOf(ports, tenant);
  for (;;) {
    const to = replaced(from, next, ports.clock.now(), overlapMs);
    const written = await ports.endpoints.writeSigner(from, to);
    if (written.written) return to;
    from = written.current ?? (await signerOf(ports, tenant));
  }
}

function nextSigner({ random }: Pick<ManagePorts, "random">, secret: Secret | null): NextSigner {
  return {
    secret: secret ?? newSecret(random.bytes(keyEntropyBytes)),
    key: newSigningKey(random.bytes(keyEntropyBytes)),
  };
}

function replaced<S extends Signer>(signer: S, next: NextSigner, at: number, overlapMs: number): S {
  const to = rotated(signer, next, at, overlapMs);
  if (to) return to;
  throw new DomainError(
    "too_many_secrets",
    `${mostSecrets} secrets or keys sign already; wait until one has run out, or rotate with an overlap of 0`,
    { field: "overlap_seconds" },
  );
}

function notFound(id: string): DomainError {
  return new DomainError("endpoint_not_found", `There is no endpoint "${id}"`);
}
