import { crc32 } from "node:zlib";
import { seededRandom } from "@plantain/memory/clock";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../hash.ts";
import { isKeyText, issueKey, keyEntropyBytes } from "./key.ts";

const about = { tenant: "acme", scopes: ["jobs:read"], at: 1 } as const;

describe("API keys", () => {
  it("are shown as text once; what is kept is the hash", () => {
    const { key, text } = issueKey(about, seededRandom().bytes(keyEntropyBytes));
    expect(text).toMatch(/^plk_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/);
    expect(key).toEqual({
      id: text.slice(4, 12),
      sha256: sha256Hex(text),
      tenant: "acme",
      scopes: ["jobs:read"],
      createdAt: 1,
    });
    expect(JSON.stringify(key)).not.toContain(text.slice(13, 45));
  });

  it("tell a typo from a key without a look into the store", () => {
    const { text } = issueKey(about, seededRandom(3).bytes(keyEntropyBytes));
    expect(isKeyText(text)).toBe(true);
    for (let at = 0; at < text.length; at += 1) {
      const typo = `${text.slice(0, at)}${text[at] === "x" ? "y" : "x"}${text.slice(at + 1)}`;
      expect(isKeyText(typo), typo).toBe(false);
    }
  });

  it("are recognized only whole", () => {
    const { text } = issueKey(about, seededRandom(4).bytes(keyEntropyBytes));
    for (const other of [` ${text}`, `${text} `, text.slice(1), text.slice(0, -1), text.toUpperCase(), ""]) {
      expect(isKeyText(other), other).toBe(false);
    }
  });

  it("have a letter for every two random bytes", () => {
    const entropy = new Uint8Array(keyEntropyBytes);
    entropy.set([0, 10, 0, 61, 0, 62, 1, 0, 255, 255]); // 10, 61, 62, 256 and 65535, modulo 62
    expect(issueKey(about, entropy).text).toMatch(/^plk_Az081000_0{32}_/);
  });

  it("end in the CRC-32 of all before, in six digits of base62", () => {
    const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const entropies = fc.uint8Array({ minLength: keyEntropyBytes, maxLength: keyEntropyBytes });
    fc.assert(
      fc.property(entropies, (entropy) => {
        const { text } = issueKey(about, entropy);
        const [, body = "", check = ""] = /^(.*)_(.{6})$/.exec(text) ?? [];
        const value = Array.from(check).reduce((sum, digit) => sum * 62 + base62.indexOf(digit), 0);
        expect(value).toBe(crc32(body));
      }),
    );
  });

  it("refuse to be made of too little randomness", () => {
    expect(() => issueKey(about, new Uint8Array(79))).toThrow("79 random bytes given, 80 needed");
  });
});
