import { describe, expect, it } from "vitest";
import { judge } from "./judge.ts";
import { mutants } from "./mutants/all.ts";
import { mutatedCopy } from "./mutate.ts";

const longMs = 180_000;

describe("the simulation notices when a guard is missing", () => {
  it.concurrent.each(mutants.filter(({ fate }) => "killedWithin" in fate))(
    "$name: $guard",
    async (mutant) => {
      const { isAsFated, text } = await judge(mutant);
      expect(isAsFated, text).toBe(true);
    },
    longMs,
  );
});

describe("a guard that another one stands behind", () => {
  it.concurrent.each(mutants.filter(({ fate }) => "maskedBy" in fate))(
    "$name: $guard; without it the sweep mends what comes of it, and without both jobs get stuck",
    async (mutant) => {
      const { isAsFated, text } = await judge(mutant);
      expect(isAsFated, text).toBe(true);
    },
    longMs,
  );
});

describe("a mutant", () => {
  it("has a name of its own", () => {
    const names = mutants.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("is refused when the code has moved on and its text is not there once", async () => {
    const change = { file: "packages/core/src/job/job.ts", find: "no such text", replace: "" };
    await expect(mutatedCopy([change])).rejects.toThrow("0 times, not once");
  });
});
