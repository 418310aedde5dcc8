import { samplePolicy } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { checkPolicy } from "./policy.ts";

describe("the protocol's numbers", () => {
  it("are accepted in their right order", () => {
    expect(checkPolicy(samplePolicy)).toBe(samplePolicy);
  });

  it.each([
    ["a beat that could miss the lease", { beatMs: 20_001 }, "beatMs"],
    ["a message that returns before the lease is over", { beatVisibilityMs: 60_000 }, "leaseMs"],
    ["no time to commit after a call", { callMarginMs: 20_000 }, "callMarginMs"],
    ["calls shorter than a lease", { callMs: 60_000 }, "callMs"],
  ])("are refused with %s", (_name, change, named) => {
    expect(() => checkPolicy({ ...samplePolicy, ...change })).toThrow(named);
  });
});
