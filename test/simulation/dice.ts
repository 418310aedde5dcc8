import type { Random } from "@plantain/core/clock";
import { seededRandom } from "@plantain/memory/clock";

/** Randomness that a seed decides, in the forms that the simulated world needs. */
export type Dice = Random & {
  chance(probability: number): boolean;
  /** In [low, high). */
  between(low: number, high: number): number;
  /** A whole number in [low, high]. */
  whole(low: number, high: number): number;
  pick<T>(from: readonly T[]): T;
  lognormal(median: number, sigma: number): number;
  shuffled<T>(list: readonly T[]): T[];
  /** Dice of their own, so that one part of the world drawing more doesn't change what another draws. */
  fork(): Dice;
};

export function dice(seed: number): Dice {
  const { fraction, bytes } = seededRandom(seed);
  const whole = (low: number, high: number) => low + Math.floor(fraction() * (high - low + 1));
  return {
    fraction,
    bytes,
    whole,
    chance: (probability) => fraction() < probability,
    between: (low, high) => low + fraction() * (high - low),
    pick(from) {
      const picked = from[Math.floor(fraction() * from.length)];
      if (picked === undefined) throw new RangeError("Cannot pick from an empty list");
      return picked;
    },
    lognormal(median, sigma) {
      const normal = Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction());
      return median * Math.exp(sigma * normal);
    },
    shuffled(list) {
      return list
        .map((item) => ({ item, place: fraction() }))
        .sort((a, b) => a.place - b.place)
        .map(({ item }) => item);
    },
    fork: () => dice(Math.floor(fraction() * 2 ** 32)),
  };
}
