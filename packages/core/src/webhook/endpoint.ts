import type { Random } from "../clock.ts";
import { idEntropyBytes } from "../id.ts";
import type { DisabledReason, SubscribableType } from "./event.ts";
import { type DeliveryId, type EndpointId, newEndpointId } from "./ids.ts";
import {
  keyEntropyBytes,
  newSecret,
  newSigningKey,
  type PublicKey,
  publicKeyOf,
  type Secret,
  type SigningKey,
} from "./signature.ts";

/** The most endpoints of a tenant. */
export const mostEndpoints = 20;

/** Valid for good, or, once it is replaced, for as long as receivers take to learn the next one. */
type Valid<T> = T & { readonly until: number | null };
type ValidSecret = Valid<{ readonly secret: Secret }>;
type ValidKey = Valid<{ readonly key: SigningKey }>;
/** What a key's signatures are held against. */
export type ValidPublicKey = Valid<{ readonly publicKey: PublicKey }>;

/** What signs deliveries. Times are epoch milliseconds. */
export type Signer = {
  readonly id: EndpointId;
  readonly tenant: string;
  /** The newest first. */
  readonly secrets: readonly ValidSecret[];
  /** As the secrets: the newest first, replaced together with them. */
  readonly signingKeys: readonly ValidKey[];
  readonly createdAt: number;
  /** Counts every write; a write names the version it follows. */
  readonly version: number;
};

/** How fast an endpoint is expected to answer: one that didn't in time gets more time, among its like. */
export type Lane = "fast" | "slow";

/** A URL that a tenant wants to be told at. */
export type Endpoint = Signer & {
  readonly url: string;
  /** What it wants to hear of; a `ping` it gets at any rate. */
  readonly events: readonly SubscribableType[];
  readonly description: string;
  readonly disabled: { readonly at: number; readonly reason: DisabledReason } | null;
  readonly lane: Lane;
  /** When the first of only failures was, since the latest success. */
  readonly failingSince: number | null;
  /** The delivery that is at the endpoint, in the slow lane, where there is one at a time. */
  readonly slot: { readonly delivery: DeliveryId; readonly until: number } | null;
};

/** A new signer with a secret, its own or the owner's, and a key of its own: what it signs proves nothing elsewhere. */
export function newSigner(tenant: string, at: number, random: Random, secret: Secret | null = null): Signer {
  return {
    id: newEndpointId(at, random.bytes(idEntropyBytes)),
    tenant,
    secrets: [{ secret: secret ?? newSecret(random.bytes(keyEntropyBytes)), until: null }],
    signingKeys: [{ key: newSigningKey(random.bytes(keyEntropyBytes)), until: null }],
    createdAt: at,
    version: 1,
  };
}

export type EndpointSettings = Pick<Endpoint, "url" | "events" | "description">;

export function newEndpoint(signer: Signer, settings: EndpointSettings, isEnabled: boolean): Endpoint {
  return {
    ...signer,
    ...settings,
    disabled: isEnabled ? null : { at: signer.createdAt, reason: "owner" },
    lane: "fast",
    failingSince: null,
    slot: null,
  };
}

/** Those that are valid at `at`. */
export function validAt<T>(all: readonly Valid<T>[], at: number): readonly Valid<T>[] {
  return all.filter(({ until }) => until === null || until > at);
}

/** The secrets that sign at `at`, the newest first. */
export function secretsAt({ secrets }: Pick<Signer, "secrets">, at: number): readonly Secret[] {
  return validAt(secrets, at).map(({ secret }) => secret);
}

/** The keys that sign at `at`, the newest first. */
export function signingKeysAt(
  { signingKeys }: Pick<Signer, "signingKeys">,
  at: number,
): readonly SigningKey[] {
  return validAt(signingKeys, at).map(({ key }) => key);
}

/** The public halves of a signer's keys, the newest first. */
export function publicKeysOf({ signingKeys }: Pick<Signer, "signingKeys">): readonly ValidPublicKey[] {
  return signingKeys.map(({ key, until }) => ({ publicKey: publicKeyOf(key), until }));
}

/** The most secrets, and the most keys, that sign at once: headers have their limits. */
export const mostSecrets = 10;

/** What signs from a rotation on. */
export type NextSigner = { readonly secret: Secret; readonly key: SigningKey };

/**
 * Replaces the secret and the key; those before sign on for `overlapMs`, unless they were to end sooner.
 * @returns `null` where too many would sign at once
 */
export function rotated<S extends Signer>(
  signer: S,
  { secret, key }: NextSigner,
  at: number,
  overlapMs: number,
): S | null {
  const others = signer.secrets.filter((each) => each.secret !== secret);
  const secrets = [{ secret, until: null }, ...limited(others, at, overlapMs)];
  const signingKeys = [{ key, until: null }, ...limited(signer.signingKeys, at, overlapMs)];
  if (secrets.length > mostSecrets || signingKeys.length > mostSecrets) return null;
  return { ...signer, secrets, signingKeys, version: signer.version + 1 };
}

function limited<T>(before: readonly Valid<T>[], at: number, overlapMs: number): readonly Valid<T>[] {
  const end = at + overlapMs;
  return validAt(
    before.map((each) => ({ ...each, until: Math.min(each.until ?? end, end) })),
    at,
  );
}

/** The endpoint with what its owner changed. To enable it is to begin anew. */
export function changed(
  endpoint: Endpoint,
  change: Partial<EndpointSettings> & { readonly enabled?: boolean },
  at: number,
): Endpoint {
  const { enabled, ...settings } = change;
  const to = { ...endpoint, ...settings, version: endpoint.version + 1 };
  if (enabled === undefined || enabled === (endpoint.disabled === null)) return to;
  if (!enabled) return { ...to, disabled: { at, reason: "owner" } };
  return { ...to, disabled: null, failingSince: null, lane: "fast" };
}

/** How a try at an endpoint ended. */
export type Heard = {
  readonly at: number;
  readonly ms: number;
  readonly outcome: "taken" | "failed" | "timed_out" | "gone";
};

/** An endpoint that only ever failed for so long is disabled. */
export const longestFailingMs = 5 * 24 * 3_600_000;
/** How long a first try may take, and one in the slow lane. */
export const fastMs = 3_000;
export const slowMs = 15_000;
/** Who takes this long keeps others waiting as one does who never answers: a body that drips fills all the time there is. */
const tooLongMs = 2_500;

/** The endpoint after a try; the same object where nothing changes. */
export function heard(endpoint: Endpoint, { at, ms, outcome }: Heard): Endpoint {
  const failingSince = outcome === "taken" ? null : (endpoint.failingSince ?? at);
  const isSlow = outcome === "timed_out" || ms >= tooLongMs;
  const lane: Lane = isSlow ? "slow" : outcome === "taken" ? "fast" : endpoint.lane;
  const reason = outcome === "gone" ? "gone" : isTooLong(failingSince, at) ? "failing" : null;
  const disabled = endpoint.disabled ?? (reason ? { at, reason } : null);
  const { failingSince: before, lane: was, disabled: already } = endpoint;
  if (failingSince === before && lane === was && disabled === already) return endpoint;
  return { ...endpoint, failingSince, lane, disabled, version: endpoint.version + 1 };
}

function isTooLong(failingSince: number | null, at: number): boolean {
  return failingSince !== null && at - failingSince >= longestFailingMs;
}

/** The endpoint with this delivery at it; `null` while another one is. */
export function withSlot(
  endpoint: Endpoint,
  delivery: DeliveryId,
  at: number,
  until: number,
): Endpoint | null {
  const { slot } = endpoint;
  if (slot && slot.until > at && slot.delivery !== delivery) return null;
  return { ...endpoint, slot: { delivery, until }, version: endpoint.version + 1 };
}

/** The endpoint without this delivery at it; the same object where it isn't. */
export function withoutSlot(endpoint: Endpoint, delivery: DeliveryId): Endpoint {
  if (endpoint.slot?.delivery !== delivery) return endpoint;
  return { ...endpoint, slot: null, version: endpoint.version + 1 };
}
