import { webcrypto } from "node:crypto";
import { verifyWebhook } from "@plantain/client/webhook";
import {
  jsonWebKey,
  newSecret,
  newSigningKey,
  publicKeyOf,
  type Secret,
  type SignedHeaders,
  signatures,
  signedHeaders,
} from "@plantain/core/webhook/signature";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

/*
 * None of the verifiers on npm that we hold ourselves to knows `v1a`: here it is ours, WebCrypto's and the published vectors'.
 */

const published = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestampSeconds: 1_614_265_330,
  body: '{"test": 2432232314}',
};
const now = published.timestampSeconds * 1000;
const secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("the published vectors", () => {
  const v1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  const seeds = {
    "of Standard Webhooks, in its Go library": [
      "VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=",
      "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==",
    ],
    "of Svix, in its server": [
      "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=",
      "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    ],
  } as const;

  it.each(Object.entries(seeds))("%s come out byte for byte, and are taken", (_, [seed, v1a]) => {
    const signingKey = newSigningKey(Buffer.from(seed, "base64"));
    expect(signatures({ ...published, secrets: [secret], signingKeys: [signingKey] })).toBe(`${v1} ${v1a}`);
    for (const [signature, key] of [
      [v1, secret],
      [v1a, publicKeyOf(signingKey)],
    ] as const) {
      const headers = {
        "webhook-id": published.id,
        "webhook-timestamp": String(published.timestampSeconds),
        "webhook-signature": signature,
      };
      // What they sign is no event, which is said only of what is truly signed
      expect(() => verifyWebhook(published.body, headers, key, { now })).toThrowError(
        expect.objectContaining({ code: "malformed_event" }),
      );
    }
  });
});

describe("v1a", () => {
  const payloads = fc
    .dictionary(fc.string(), fc.jsonValue({ stringUnit: "binary", maxDepth: 1 }), { maxKeys: 2 })
    .map((more) => ({ ...more, object: "ping", endpoint: "ep_1" }))
    .map((data) => JSON.stringify({ type: "ping", timestamp: "2021-02-25T15:02:10.000Z", data }));
  const keys = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(newSigningKey);
  const unrelated = [newSecret(new Uint8Array(32).fill(9))];

  it("is taken by ours and by WebCrypto, and refused after any change of a single byte", async () => {
    await fc.assert(
      fc.asyncProperty(payloads, keys, fc.integer({ min: 1, max: 255 }), async (body, signingKey, mask) => {
        const headers = signedHeaders({ ...published, body, secrets: unrelated, signingKeys: [signingKey] });
        const jwk = jsonWebKey(publicKeyOf(signingKey));
        const ours = [publicKeyOf(signingKey), { keys: [jwk] }].map(
          (key) => (bytes: Uint8Array, changed: SignedHeaders) => isOurs(bytes, changed, key),
        );
        const theirs = await webCryptoVerifier(jwk);
        const bytes = Buffer.from(body);
        for (const verify of [...ours, theirs]) {
          expect(await verify(bytes, headers)).toBe(true);
          for (const [at, byte] of bytes.entries())
            expect(await verify(bytes.with(at, byte ^ mask), headers)).toBe(false);
          for (const changed of changesOfSignature(headers, mask))
            expect(await verify(bytes, changed)).toBe(false);
        }
      }),
      { numRuns: 10 },
    );
  }, 30_000);
});

function isOurs(body: Uint8Array, headers: SignedHeaders, key: Parameters<typeof verifyWebhook>[2]): boolean {
  try {
    return verifyWebhook(body, headers, key, { now }).type === "ping";
  } catch {
    return false;
  }
}

async function webCryptoVerifier(jwk: webcrypto.JsonWebKey) {
  const key = await webcrypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["verify"]);
  return (body: Uint8Array, headers: SignedHeaders) => {
    const [, v1a = ""] = headers["webhook-signature"].split(" v1a,");
    const signed = Buffer.concat([
      Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`),
      body,
    ]);
    return webcrypto.subtle.verify("Ed25519", key, Buffer.from(v1a, "base64"), signed);
  };
}

function* changesOfSignature(headers: SignedHeaders, mask: number): Generator<SignedHeaders> {
  const [v1, v1a = ""] = headers["webhook-signature"].split(" v1a,");
  const bytes = Buffer.from(v1a, "base64");
  for (const [at, byte] of bytes.entries()) {
    const changed = Buffer.from(bytes.with(at, byte ^ mask)).toString("base64");
    yield { ...headers, "webhook-signature": `${v1} v1a,${changed}` };
  }
}
