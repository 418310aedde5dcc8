import type { Dice } from "./dice.ts";
import type { Timeline } from "./timeline.ts";

const everyMs = 60_000;

/** A schedule of each minute: at least once as a rule, at times twice, late, or not at all. */
export function schedule(
  { timeline, dice }: { timeline: Timeline; dice: Dice },
  badTicks: number,
  tick: () => void,
): void {
  const next = () => {
    timeline.after(everyMs, next);
    if (!dice.chance(badTicks)) return tick();
    const kind = dice.pick(["twice", "late", "never"]);
    if (kind === "twice") {
      tick();
      timeline.after(dice.chance(0.5) ? dice.between(0, 50) : dice.between(0, 5_000), tick);
    }
    if (kind === "late") timeline.after(dice.between(5_000, 50_000), tick);
  };
  timeline.after(dice.between(0, everyMs), next);
}
