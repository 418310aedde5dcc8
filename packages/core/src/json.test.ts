import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, encodeJson } from "./json.ts";

/** The same value, its members the other way round at every depth. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]) => [name, turned(member)])
      .reverse(),
  );
}

describe("canonical JSON", () => {
  it("orders keys by UTF-16 code units, at every depth", () => {
    const value = {
      "€": 1,
      "\r": 2,
      "1": 3,
      "😀": 4,
      "\u0080": 5,
      ö: 6,
      "\ufb33": { b: [{ d: 1, c: 2 }], a: null },
    };
    expect(canonicalJson(value)).toBe(
      '{"\\r":2,"1":3,"\u0080":5,"ö":6,"€":1,"😀":4,"\ufb33":{"a":null,"b":[{"c":2,"d":1}]}}',
    );
  });

  it("writes numbers as RFC 8785 does", () => {
    expect(canonicalJson([333333333.3333333, 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      "[333333333.3333333,1e+30,4.5,0.002,1e-27,0]",
    );
  });

  it("loses nothing and adds nothing, whatever order the members came in", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(turned(value))).toBe(text);
      }),
    );
  });

  it("is the same whether a member is absent or undefined", () => {
    expect(canonicalJson({ a: 1, b: undefined })).toBe(canonicalJson({ a: 1 }));
  });
});

describe("a value to be stored", () => {
  it("is JSON in UTF-8, with the hash of its bytes", () => {
    const { bytes, mediaType, sha256 } = encodeJson({ a: "ö" });
    expect(new TextDecoder().decode(Buffer.concat(bytes))).toBe('{"a":"ö"}');
    expect(mediaType).toBe("application/json");
    expect(sha256).toBe("0c012ddd20b0a67114dcf3b03080ac1c51e5b0b4c96c4bb42033c7e444d2fe2c");
  });
});
