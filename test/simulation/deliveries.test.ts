import { describe, expect, it } from "vitest";
import { simulateDeliveries } from "./deliveries.ts";
import { profiles } from "./profile.ts";

const longMs = 300_000;

async function broken(profile: keyof typeof profiles, count: number) {
  const failing: string[] = [];
  for (let seed = 1; seed <= count; seed += 1) {
    const { violations } = await simulateDeliveries(seed, profiles[profile]);
    if (violations.length > 0) failing.push(`seed ${seed}: ${violations[0]}`);
  }
  return failing;
}

describe("deliveries", () => {
  it(
    "tell every receiver of every job's end, also one that was down for six hours, in 25 rough worlds",
    async () => {
      expect(await broken("default", 25)).toEqual([]);
    },
    longMs,
  );

  it(
    "do so in the roughest worlds",
    async () => {
      expect(await broken("heavy", 8)).toEqual([]);
    },
    longMs,
  );

  it(
    "make no request too many when nothing goes wrong, and happen the same way twice",
    async () => {
      const [first, second] = [
        await simulateDeliveries(7, profiles.none),
        await simulateDeliveries(7, profiles.none),
      ];
      expect(first.violations).toEqual([]);
      expect(second).toEqual(first);
    },
    longMs,
  );
});
