import * as z from "zod";
import type { Latency } from "../latency.ts";
import { markersIn, markersInForce } from "../markers.ts";
import { type Draw, drawsFrom, hashOf } from "../random.ts";
import { type AppliedFault, faultFrom, namedFault } from "./table.ts";

/** Which calls a queued fault strikes: the next `times` that match. */
export const QueuedFaultInput = z.strictObject({
  match: z.strictObject({ model: z.string().optional(), promptIncludes: z.string().optional() }).optional(),
  times: z.int().positive().optional(),
  fault: z.string(),
});
export type QueuedFaultInput = z.infer<typeof QueuedFaultInput>;

/** Random faults: `rates` gives the probability of each fault, `NAME` or `NAME:argument`, at every call. */
export const ProfileInput = z.strictObject({
  seed: z.number().optional(),
  rates: z.record(z.string(), z.number().min(0).max(1)).optional(),
  latency: z.strictObject({ medianMs: z.number().nonnegative(), sigma: z.number().nonnegative() }).optional(),
});
export type ProfileInput = z.infer<typeof ProfileInput>;

/** What a call meets. At most one fault ends it; the others only change its pace or its images. */
export type Met = {
  ending: AppliedFault | null;
  changes: readonly AppliedFault[];
  /** Random numbers that depend on the seed, the prompt, the model and how often it was asked, and on nothing else. */
  draw: Draw;
};

export type Injector = {
  meet: (prompt: string, model: string) => Met;
  add: (input: QueuedFaultInput) => void;
  queued: () => readonly QueuedFaultInput[];
  setProfile: (profile: ProfileInput) => void;
  /** The profile's latency, if it sets one. */
  latency: () => Latency | null;
  /** Forgets queued faults and how often each prompt was asked. */
  clear: () => void;
};

/** Decides which faults a call meets: markers of its prompt first, then the queue, then the profile. */
export function createInjector(seed: number): Injector {
  let queue: { input: QueuedFaultInput; applied: AppliedFault; left: number }[] = [];
  let profile: ProfileInput = {};
  const calls = new Map<string, number>();
  return {
    meet(prompt, model) {
      const markers = markersIn(prompt);
      const marked = new Map(markers.map((each) => [each, namedFault(each.name, each.argument)]));
      const key = hashOf(prompt, model);
      const call = (calls.get(key) ?? 0) + 1;
      calls.set(key, call);
      const draw = drawsFrom(hashOf(profile.seed ?? seed, key, call));
      const inForce = markersInForce(markers, call).flatMap((each) => marked.get(each) ?? []);
      const chance = drawFault(profile.rates ?? {}, draw);
      if (inForce.length > 0) return sorted(inForce, draw);
      const next = queue.find(({ input, left }) => left > 0 && matches(input, prompt, model));
      if (next === undefined) return sorted(chance, draw);
      next.left -= 1;
      return sorted([next.applied], draw);
    },
    add(input) {
      queue.push({ input, applied: faultFrom(input.fault), left: input.times ?? 1 });
    },
    queued: () => queue.filter(({ left }) => left > 0).map(({ input, left }) => ({ ...input, times: left })),
    setProfile(next) {
      for (const spec of Object.keys(next.rates ?? {})) faultFrom(spec);
      profile = next;
    },
    latency: () => profile.latency ?? null,
    clear() {
      queue = [];
      calls.clear();
    },
  };
}

function matches({ match }: QueuedFaultInput, prompt: string, model: string): boolean {
  const { model: wanted = model, promptIncludes = "" } = match ?? {};
  return wanted === model && prompt.includes(promptIncludes);
}

/** One draw decides, so that the rates add up and at most one random fault strikes. */
function drawFault(rates: Readonly<Record<string, number>>, draw: Draw): readonly AppliedFault[] {
  let rest = draw();
  for (const [spec, rate] of Object.entries(rates)) {
    if (rest < rate) return [faultFrom(spec)];
    rest -= rate;
  }
  return [];
}

function sorted(met: readonly AppliedFault[], draw: Draw): Met {
  const ends = met.filter((each) => isEnding(each));
  return { ending: ends[0] ?? null, changes: met.filter((each) => !isEnding(each)), draw };
}

function isEnding({ fault, argument }: AppliedFault): boolean {
  const { effect } = fault;
  if (effect.kind === "delivery") return effect.delivery(argument).kind !== "drip";
  return effect.kind === "error" || effect.kind === "imageless";
}
