import { describe, expect, it } from "vitest";
import { canonicalJson } from "./json.ts";

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

  it("is the same whether a member is absent or undefined", () => {
    expect(canonicalJson({ a: 1, b: undefined })).toBe(canonicalJson({ a: 1 }));
  });
});
