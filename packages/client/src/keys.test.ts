import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { verifiersOf, type WebhookSecret } from "./keys.ts";

const signed = Buffer.from("dlv_1.1790000000.{}");
const secretOf = (byte: number, length = 32) => `whsec_${Buffer.alloc(length, byte).toString("base64")}`;
const v1 = (byte: number, text = signed) =>
  `v1,${createHmac("sha256", Buffer.alloc(32, byte)).update(text).digest("base64")}`;

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const jwk = publicKey.export({ format: "jwk" });
const whpk = `whpk_${Buffer.from(jwk.x ?? "", "base64url").toString("base64")}`;
const v1a = `v1a,${sign(null, signed, privateKey).toString("base64")}`;

/** Whether any of the keys takes the signature. */
const accepts = (secrets: WebhookSecret | readonly WebhookSecret[], signature: string) =>
  verifiersOf(secrets).some((isBy) => isBy(signed, signature));

describe("keys", () => {
  it("take what was signed by them, and nothing else", () => {
    expect(accepts(secretOf(1), v1(1))).toBe(true);
    expect(accepts(secretOf(1), v1(2))).toBe(false);
    expect(accepts(secretOf(1), v1(1, Buffer.from("dlv_2.1790000000.{}")))).toBe(false);
    expect(accepts(whpk, v1a)).toBe(true);
    expect(accepts(whpk, `v1a,${Buffer.alloc(64).toString("base64")}`)).toBe(false);
  });

  it("may be several while one replaces another, of both kinds", () => {
    const both = [secretOf(2), secretOf(1), whpk];
    for (const signature of [v1(1), v1(2), v1a]) expect(accepts(both, signature)).toBe(true);
    expect(accepts(both, v1(3))).toBe(false);
  });

  it("may be a published key set, of which keys of other kinds don't matter", () => {
    const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
    expect(accepts({ keys: [p256, { ...jwk, kid: "1", alg: "EdDSA" }] }, v1a)).toBe(true);
    expect(accepts([secretOf(1), { keys: [jwk] }], v1a)).toBe(true);
  });

  it.each(["v2", "v1a", "V1", ""])("take a good signature under its own version alone, not %j", (version) => {
    expect(accepts([secretOf(1), whpk], v1(1).replace("v1", version))).toBe(false);
    expect(accepts([secretOf(1), whpk], v1a.replace("v1a", version === "v1a" ? "v1b" : version))).toBe(false);
  });

  it.each([
    "v1",
    "v1,",
    "v1a,",
    "v1,ü",
    `${v1(1)} `,
    v1(1).replace("=", ""),
    `${v1(1)}=`,
    v1a.replaceAll("=", ""),
    v1a.slice(0, 20),
    // The same bytes by another spelling of the last group
    v1a.replace(/.==$/, (end) => `${end.startsWith("A") ? "B" : "h"}==`),
  ])("take no mutilated signature: %j", (signature) => {
    expect(accepts([secretOf(1), whpk], signature)).toBe(false);
  });

  it.each([
    ["no prefix", secretOf(1).slice(6)],
    ["a private key", secretOf(1).replace("whsec", "whsk")],
    ["a short secret", secretOf(1, 23)],
    ["something else than base64", "whsec_?????????????????????????????????????????"],
    ["a line break", `${secretOf(1)}\n`],
    ["a short public key", "whpk_AAAA"],
    ["an empty text", ""],
    ["nothing", undefined],
    ["a number", 7],
    ["no secret at all", []],
    ["a list with nothing", [undefined]],
    ["an empty key set", { keys: [] }],
    ["a key set without keys", { keys: 1 }],
    ["a key set of other keys", { keys: [{ ...jwk, crv: "X25519" }, { kty: "OKP", crv: "Ed25519" }, null] }],
    ["a key that is none", { keys: [{ kty: "OKP", crv: "Ed25519", x: "AAAA" }] }],
  ])("are refused with %s, and not shown", (_, secret) => {
    // @ts-expect-error: what callers without types may pass
    expect(() => verifiersOf(secret)).toThrowError(expect.objectContaining({ code: "invalid_secret" }));
    if (typeof secret !== "string" || secret.length < 8) return;
    expect(() => accepts(secret, v1a)).not.toThrowError(
      expect.objectContaining({ message: expect.stringContaining(secret) }),
    );
  });

  it("take the secret of 24 bytes that is the least", () => {
    expect(() => verifiersOf(secretOf(1, 24))).not.toThrow();
  });
});
