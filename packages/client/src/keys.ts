import { createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from "node:crypto";
import { anything, listOf, objectOf, oneOf, text } from "./shape.ts";
import { WebhookVerificationError } from "./webhook-error.ts";

/*
 * Node's own cryptography rather than WebCrypto: it answers at once, so that nobody can forget an `await` before trusting
 * an event, and its Ed25519 isn't experimental in Node 20. Bun, Deno and Workers with `nodejs_compat` have it too.
 */

/** A JSON Web Key Set as the service publishes it; keys of other kinds in it are passed over. */
export type KeySet = { readonly keys: readonly object[] };

/** `whsec_…` for signatures `v1`; for `v1a` a public key `whpk_…` or a key set. */
export type WebhookSecret = string | KeySet;

/** Whether a signature, as `v1,<base64>`, is by the key over these bytes. */
export type Verifier = (signed: Uint8Array, signature: string) => boolean;

const leastSecretBytes = 24;
const publicKeyBytes = 32;

/** @throws WebhookVerificationError `invalid_secret` */
export function verifiersOf(secrets: WebhookSecret | readonly WebhookSecret[]): readonly Verifier[] {
  const verifiers = (isList(secrets) ? secrets : [secrets]).flatMap(verifiersOfOne);
  if (verifiers.length === 0) throw invalid("there is no secret or key to verify it with");
  return verifiers;
}

function verifiersOfOne(secret: WebhookSecret): readonly Verifier[] {
  if (typeof secret !== "string") return keySetVerifiers(secret);
  const [, prefix, encoded = ""] = /^(whsec|whpk)_(.+)$/s.exec(secret) ?? [];
  const bytes = decode(encoded);
  if (prefix === "whsec") {
    if (!bytes || bytes.length < leastSecretBytes)
      throw invalid(`what follows whsec_ has to be at least ${leastSecretBytes} bytes in base64`);
    return [symmetric(bytes)];
  }
  if (prefix === "whpk") {
    if (bytes?.length !== publicKeyBytes)
      throw invalid(`what follows whpk_ has to be ${publicKeyBytes} bytes in base64`);
    return [asymmetric(publicKey(bytes.toString("base64url")))];
  }
  // Not shown: it may be a secret all the same
  throw invalid("a secret begins with whsec_ and a public key with whpk_");
}

/** @param set looked into: it comes from the network, or from an environment that lacks it */
function keySetVerifiers(set: unknown): readonly Verifier[] {
  if (!keySet(set, "keys", [])) throw invalid("the secret has to be whsec_…, whpk_… or a JSON Web Key Set");
  const verifiers = set.keys.flatMap((key) =>
    ed25519Key(key, "key", []) ? asymmetric(publicKey(key.x)) : [],
  );
  if (verifiers.length === 0) throw invalid("the key set has no Ed25519 key");
  return verifiers;
}

const keySet = objectOf<{ keys: readonly unknown[] }>({ keys: listOf(anything) });
/** As RFC 8037 writes a public key. */
const ed25519Key = objectOf<{ kty: "OKP"; crv: "Ed25519"; x: string }>({
  kty: oneOf("OKP"),
  crv: oneOf("Ed25519"),
  x: text,
});

function publicKey(x: string): KeyObject {
  try {
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  } catch {
    throw invalid(`"${x}" is no Ed25519 public key`);
  }
}

function symmetric(secret: Uint8Array): Verifier {
  return (signed, signature) => {
    const expected = Buffer.from(`v1,${createHmac("sha256", secret).update(signed).digest("base64")}`);
    const given = Buffer.from(signature);
    // The length is no secret; the time must not tell how much of the rest is right
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
}

function asymmetric(key: KeyObject): Verifier {
  return (signed, signature) => {
    if (!signature.startsWith("v1a,")) return false;
    const bytes = decode(signature.slice("v1a,".length));
    return bytes !== undefined && verify(null, signed, key, bytes);
  };
}

/** Undefined unless it is the one spelling of its bytes: lenient decoders take several for the same. */
function decode(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, "base64");
  return bytes.toString("base64") === base64 ? bytes : undefined;
}

function isList(secrets: WebhookSecret | readonly WebhookSecret[]): secrets is readonly WebhookSecret[] {
  return Array.isArray(secrets);
}

function invalid(why: string): WebhookVerificationError {
  return new WebhookVerificationError("invalid_secret", `Cannot verify the webhook: ${why}`);
}
