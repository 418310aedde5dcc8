import type { Dice } from "./dice.ts";
import { type FaultKind, faultKinds, type Profile } from "./profile.ts";

/** A time in which a service answers hardly anything; with a subject, only for requests about that one. */
export type Outage = {
  readonly service: string;
  readonly subject: string | null;
  readonly from: number;
  readonly until: number;
};

/** What is asked of a service; `isContended` when another write to the same subject is under way. */
export type Asked = {
  readonly label: string;
  readonly subject: string | null;
  readonly isContended: boolean;
};

/** Decides which effects go wrong, and how. */
export type Faults = {
  /** What happens to the next effect, `null` if all goes well. */
  next(effect: Asked, now: number): FaultKind | null;
  readonly outages: Outage[];
  /** How often each fault hit each effect, as `label fault`. */
  readonly injected: Map<string, number>;
};

/** The effects of one seed that a single fault may hit; a later one leaves the seed without faults. */
const effectsOfASeed = 600;
/** How many kinds of effects there are, about; in the order in which a seed comes upon them. */
const kindsOfEffects = 20;
const focusedRate = 0.2;
const outageRefuses = 0.9;

/** @param stopAt from then on all goes well */
export function faults(dice: Dice, profile: Profile, stopAt: number): Faults {
  const single = dice.chance(profile.singleFault)
    ? { at: dice.whole(1, effectsOfASeed), kind: dice.pick(faultKinds) }
    : null;
  const focus = dice.chance(profile.focused)
    ? { place: dice.whole(0, kindsOfEffects - 1), kind: dice.pick(faultKinds) }
    : null;
  const mixed = (rate: number) => (focus ? 0 : profile.isExact ? rate : swarm(dice, rate));
  const rates = faultKinds
    .filter((kind) => kind !== "conflict")
    .map((kind) => ({ kind, rate: mixed(profile.faults[kind]) }));
  const conflicts = mixed(profile.faults.conflict);
  const labels: string[] = [];
  const outages: Outage[] = [];
  const injected = new Map<string, number>();
  let effects = 0;

  function draw({ label, subject, isContended }: Asked, now: number): FaultKind | null {
    effects += 1;
    if (now >= stopAt || (profile.at !== null && !profile.at.includes(label))) return null;
    if (single) return effects === single.at ? single.kind : null;
    if (!labels.includes(label)) labels.push(label);
    if (focus) return labels[focus.place] === label && dice.chance(focusedRate) ? focus.kind : null;
    const service = label.slice(0, label.indexOf("."));
    const isOut = outages.some(
      (outage) =>
        outage.service === service &&
        outage.from <= now &&
        now < outage.until &&
        (outage.subject === null || outage.subject === subject),
    );
    if (isOut && dice.chance(outageRefuses)) return "refused";
    if (isContended && dice.chance(conflicts)) return "conflict";
    let rest = dice.fraction();
    for (const { kind, rate } of rates) {
      rest -= rate;
      if (rest < 0) return kind;
    }
    return null;
  }

  return {
    next(effect, now) {
      const kind = draw(effect, now);
      const name = `${effect.label} ${kind}`;
      if (kind) injected.set(name, (injected.get(name) ?? 0) + 1);
      return kind;
    },
    outages,
    injected,
  };
}

/** Each seed has its own mix of faults: what is always a little there hides what only shows alone or in excess. */
function swarm(dice: Dice, rate: number): number {
  return dice.chance(0.35) ? 0 : rate * 4 ** dice.between(-1, 1);
}
