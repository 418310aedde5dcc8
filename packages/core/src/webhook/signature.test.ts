import { createPublicKey, verify, webcrypto } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  isSecret,
  isSigningKey,
  jsonWebKey,
  newSecret,
  newSigningKey,
  publicKeyOf,
  type Secret,
  type SigningKey,
  signatures,
  signedHeaders,
} from "./signature.ts";

/** As published: the tests of the Standard Webhooks libraries have the first, the tests of Svix's server both. */
const published = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestampSeconds: 1_614_265_330,
  body: '{"test": 2432232314}',
};
const secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const signingKey: SigningKey =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const v1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const v1a = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

describe("signatures", () => {
  it("reproduces the published vectors, v1 before v1a", () => {
    expect(signatures({ ...published, secrets: [secret], signingKeys: [] })).toBe(v1);
    expect(signatures({ ...published, secrets: [secret], signingKeys: [signingKey] })).toBe(`${v1} ${v1a}`);
  });

  it("signs with every secret that is valid, the newest first", () => {
    const newer = newSecret(new Uint8Array(32).fill(7));
    const alone = signatures({ ...published, secrets: [newer], signingKeys: [] });
    const both = signatures({ ...published, secrets: [newer, secret], signingKeys: [signingKey] });
    expect(both).toBe(`${alone} ${v1} ${v1a}`);
  });

  it("signs the bytes that are sent, whether they are given as text or not", () => {
    const text = {
      ...published,
      body: '{"prompt":"Zürich 🦩"}',
      secrets: [secret],
      signingKeys: [signingKey],
    };
    expect(signatures({ ...text, body: new TextEncoder().encode(text.body) })).toBe(signatures(text));
  });

  it.each(["msg.1", "", "msg 1"])("refuses the id %j, which could be read in two ways", (id) => {
    expect(() => signatures({ ...published, id, secrets: [secret], signingKeys: [signingKey] })).toThrow(
      RangeError,
    );
  });

  it.each([1.5, -1, Number.NaN])("refuses the time %j", (timestampSeconds) => {
    expect(() =>
      signatures({ ...published, timestampSeconds, secrets: [secret], signingKeys: [signingKey] }),
    ).toThrow(RangeError);
  });

  it("takes the very first second of time", () => {
    const first = { ...published, timestampSeconds: 0, secrets: [secret], signingKeys: [] };
    expect(signatures(first)).toMatch(/^v1,/);
  });

  it("refuses to sign without a secret", () => {
    expect(() => signatures({ ...published, secrets: [], signingKeys: [signingKey] })).toThrow(RangeError);
  });

  it("makes the headers of a try", () => {
    expect(signedHeaders({ ...published, secrets: [secret], signingKeys: [] })).toEqual({
      "webhook-id": published.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": v1,
    });
  });
});

describe("secrets", () => {
  it("takes 24 to 64 bytes in plain base64", () => {
    expect(isSecret(secret)).toBe(true);
    expect(isSecret(newSecret(new Uint8Array(32).fill(1)))).toBe(true);
    expect(isSecret(`whsec_${Buffer.alloc(64).toString("base64")}`)).toBe(true);
    expect(isSecret(`whsec_${Buffer.alloc(23).toString("base64")}`)).toBe(false);
    expect(isSecret(`whsec_${Buffer.alloc(65).toString("base64")}`)).toBe(false);
    expect(isSecret(secret.slice(6))).toBe(false);
    expect(isSecret(`whsec_${Buffer.alloc(25).toString("base64").replace("==", "")}`)).toBe(false);
    expect(isSecret(`${secret}\n`)).toBe(false);
    expect(isSecret(` ${secret}`)).toBe(false);
  });

  it("takes no less randomness than it needs", () => {
    expect(() => newSecret(new Uint8Array(31))).toThrow(RangeError);
    expect(() => newSigningKey(new Uint8Array(31))).toThrow(RangeError);
  });
});

describe("signing keys", () => {
  it("are one thing and nothing before or after it", () => {
    expect(isSigningKey(` ${signingKey}`)).toBe(false);
    expect(isSigningKey(`${signingKey}=`)).toBe(false);
    expect(isSigningKey(secret)).toBe(false);
  });

  it("has the public key that was published with the vector", () => {
    expect(isSigningKey(signingKey)).toBe(true);
    expect(publicKeyOf(signingKey)).toBe("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
    expect(newSigningKey(Buffer.from(signingKey.slice(5), "base64").subarray(0, 32))).toBe(signingKey);
  });

  it("publishes a JWK with which Node and WebCrypto verify v1a, and that refuses any other byte", async () => {
    const key = newSigningKey(new Uint8Array(32).fill(3));
    const jwk = jsonWebKey(publicKeyOf(key));
    const header = signatures({ ...published, secrets: [secret], signingKeys: [key] });
    const signature = Buffer.from(header.split("v1a,")[1] ?? "", "base64");
    const signed = Buffer.from(`${published.id}.${published.timestampSeconds}.${published.body}`);
    expect(verify(null, signed, createPublicKey({ key: jwk, format: "jwk" }), signature)).toBe(true);
    const imported = await webcrypto.subtle.importKey("jwk", jwk, "Ed25519", true, ["verify"]);
    expect(await webcrypto.subtle.verify("Ed25519", imported, signature, signed)).toBe(true);
    for (const at of signed.keys()) {
      const changed = Buffer.from(signed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(verify(null, changed, createPublicKey({ key: jwk, format: "jwk" }), signature)).toBe(false);
    }
  });

  it("names a key by its RFC 7638 thumbprint", () => {
    // The key and the thumbprint of RFC 8037, appendix A.3
    const publicKey =
      `whpk_${Buffer.from("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "base64url").toString("base64")}` as const;
    expect(jsonWebKey(publicKey)).toMatchObject({
      kid: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
      x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
  });
});
