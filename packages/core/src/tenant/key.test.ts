import { seededRandom } from "@plantain/memory/clock";
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

  it("refuse to be made of too little randomness", () => {
    expect(() => issueKey(about, new Uint8Array(10))).toThrow("10 random bytes given, 80 needed");
  });
});
