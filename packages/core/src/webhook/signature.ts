import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";

/*
 * Signatures as Standard Webhooks 1.0.0 has them: over `<id>.<timestamp>.<body>`, by HMAC-SHA256 under a secret that both
 * sides know (`v1`), and by Ed25519 under a key of which receivers know the public half alone (`v1a`).
 */

/** A secret as receivers keep it: `whsec_` and 24 to 64 bytes in base64. */
export type Secret = `whsec_${string}`;
/** `whsk_` and, in base64, the 32 bytes of an Ed25519 seed and the 32 of its public key. */
export type SigningKey = `whsk_${string}`;
/** `whpk_` and the 32 bytes of the public key in base64. */
export type PublicKey = `whpk_${string}`;

/** One try to be signed. */
export type Signing = {
  /** The same for all tries of one delivery; without a full stop. */
  readonly id: string;
  /** Of this very try. */
  readonly timestampSeconds: number;
  /** Exactly what is sent: text counts by its UTF-8. */
  readonly body: string | Uint8Array;
  /** The newest first, as of the keys; while one is replaced, those it replaces too. */
  readonly secrets: readonly Secret[];
  readonly signingKeys: readonly SigningKey[];
};

export type SignedHeaders = {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
};

const leastSecretBytes = 24;
const mostSecretBytes = 64;
/** Random bytes that a secret or a signing key of ours is made of. */
export const keyEntropyBytes = 32;

/** The three headers of a try. */
export function signedHeaders(signing: Signing): SignedHeaders {
  return {
    "webhook-id": signing.id,
    "webhook-timestamp": String(signing.timestampSeconds),
    "webhook-signature": signatures(signing),
  };
}

/**
 * The value of `webhook-signature`: a `v1` for each secret, then a `v1a` for each key. That order suits verifiers that know `v1` alone.
 * @throws RangeError when the id or the time could be read in two ways, or there is nothing to sign with
 */
export function signatures({ id, timestampSeconds, body, secrets, signingKeys }: Signing): string {
  if (!/^[\w-]+$/.test(id)) throw new RangeError(`Cannot sign: "${id}" is no id of letters, digits, _ and -`);
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0)
    throw new RangeError(`Cannot sign: ${timestampSeconds} is no whole number of seconds`);
  if (secrets.length === 0) throw new RangeError(`Cannot sign "${id}" without a secret`);
  const signed = Buffer.concat([Buffer.from(`${id}.${timestampSeconds}.`), Buffer.from(body)]);
  const symmetric = secrets.map(
    (secret) => `v1,${createHmac("sha256", bytesOf(secret)).update(signed).digest("base64")}`,
  );
  const asymmetric = signingKeys.map(
    (key) => `v1a,${sign(null, signed, privateKey(seedOf(key))).toString("base64")}`,
  );
  return [...symmetric, ...asymmetric].join(" ");
}

/** Whether a text is a secret that signs well enough. */
export function isSecret(text: string): text is Secret {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  if (encoded === undefined) return false;
  const bytes = Buffer.from(encoded, "base64");
  // The only spelling: others would be cut short, or be taken by some verifiers and not by others
  if (bytes.toString("base64") !== encoded) return false;
  return bytes.length >= leastSecretBytes && bytes.length <= mostSecretBytes;
}

export function isSigningKey(text: string): text is SigningKey {
  return /^whsk_[A-Za-z0-9+/]{86}==$/.test(text);
}

/** @param entropy `keyEntropyBytes` random bytes */
export function newSecret(entropy: Uint8Array): Secret {
  if (entropy.length < keyEntropyBytes) throw tooLittle(entropy);
  return `whsec_${Buffer.from(entropy).toString("base64")}`;
}

/** @param entropy `keyEntropyBytes` random bytes: the seed */
export function newSigningKey(entropy: Uint8Array): SigningKey {
  if (entropy.length !== keyEntropyBytes) throw tooLittle(entropy);
  const both = Buffer.concat([entropy, rawPublicKey(createPublicKey(privateKey(entropy)))]);
  return `whsk_${both.toString("base64")}`;
}

/** What receivers hold `v1a` signatures against. */
export function publicKeyOf(signingKey: SigningKey): PublicKey {
  return `whpk_${Buffer.from(bytesOf(signingKey).subarray(keyEntropyBytes)).toString("base64")}`;
}

/** A public key as JSON Web Key (RFC 8037); its id follows from the key (RFC 7638). */
export function jsonWebKey(publicKey: PublicKey) {
  const x = Buffer.from(bytesOf(publicKey)).toString("base64url");
  const thumbprint = createHash("sha256")
    .update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`)
    .digest("base64url");
  return { kty: "OKP", crv: "Ed25519", alg: "EdDSA", use: "sig", kid: thumbprint, x };
}

/** What PKCS #8 has before the seed of an Ed25519 key. */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
}

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
}

function seedOf(signingKey: SigningKey): Uint8Array {
  return bytesOf(signingKey).subarray(0, keyEntropyBytes);
}

function bytesOf(key: Secret | SigningKey | PublicKey): Uint8Array {
  return Buffer.from(key.slice(key.indexOf("_") + 1), "base64");
}

function tooLittle(entropy: Uint8Array): RangeError {
  return new RangeError(`Cannot make a key: ${entropy.length} random bytes given, ${keyEntropyBytes} needed`);
}
