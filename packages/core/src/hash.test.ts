import { describe, expect, it } from "vitest";
import { sha256Hex } from "./hash.ts";

describe("SHA-256 in hex", () => {
  it.each([
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ])('of "%s" is what FIPS 180 says', (text, hash) => {
    expect(sha256Hex(text)).toBe(hash);
  });

  it("takes a text as its UTF-8 bytes", () => {
    expect(sha256Hex("🍌")).toBe(sha256Hex(Uint8Array.of(0xf0, 0x9f, 0x8d, 0x8c)));
  });
});
