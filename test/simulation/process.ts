import type { Clock } from "@plantain/core/clock";
import type { Dice } from "./dice.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** A time in which a process could not do its work, as the witness has to know it. */
export type Mishap = {
  readonly kind: "crash" | "freeze" | "timeout" | "beat_failed";
  readonly from: number;
  readonly until: number;
};

/**
 * One execution environment. What runs in it goes on only through `resume`, so a dead one never does, and a frozen one
 * goes on later, as a zombie that knows nothing of the time between.
 */
export type Process = {
  readonly name: string;
  /** How far its clock is ahead of the true time. */
  readonly skewMs: number;
  readonly clock: Clock;
  readonly isAlive: boolean;
  readonly isFrozen: boolean;
  readonly mishaps: Mishap[];
  resume(go: () => void): void;
  /** No code runs for this long. */
  freeze(ms: number): void;
  /** No code runs until `thaw`: what Lambda does between two invocations. */
  suspend(): void;
  thaw(): void;
  kill(kind: "crash" | "timeout"): void;
  /** Called once, when the process dies. */
  onDeath: (() => void) | null;
};

export function process(
  name: string,
  { timeline, trace, dice }: { timeline: Timeline; trace: Trace; dice: Dice },
  skewMs: number,
): Process {
  let isAlive = true;
  let frozenUntil = 0;
  let backlog: (() => void)[] = [];
  const isFrozen = () => frozenUntil > timeline.now;

  const self: Process = {
    name,
    skewMs,
    mishaps: [],
    onDeath: null,
    get isAlive() {
      return isAlive;
    },
    get isFrozen() {
      return isFrozen();
    },
    clock: {
      now: () => Math.round(timeline.now + skewMs),
      sleep(ms, signal) {
        if (signal?.aborted) return Promise.resolve();
        return new Promise((resolve) => {
          timeline.after(Math.max(0, ms), () => self.resume(resolve));
          signal?.addEventListener("abort", () => resolve(), { once: true });
        });
      },
    },
    resume(go) {
      if (!isAlive) return;
      if (isFrozen()) backlog.push(go);
      else go();
    },
    freeze(ms) {
      const until = timeline.now + ms;
      trace.note(name, `freezes for ${Math.round(ms)} ms`);
      self.mishaps.push({ kind: "freeze", from: timeline.now, until });
      frozenUntil = Math.max(frozenUntil, until);
      timeline.at(frozenUntil, thawed);
    },
    suspend() {
      frozenUntil = Number.POSITIVE_INFINITY;
    },
    thaw() {
      frozenUntil = timeline.now;
      thawed();
    },
    kill(kind) {
      if (!isAlive) return;
      trace.note(name, `dies: ${kind}`);
      isAlive = false;
      self.mishaps.push({ kind, from: timeline.now, until: timeline.now });
      backlog = [];
      self.onDeath?.();
    },
  };

  /** Timers and answers that came in meanwhile go on in whatever order. */
  function thawed(): void {
    if (!isAlive || isFrozen()) return;
    const waiting = backlog;
    backlog = [];
    for (const go of waiting) timeline.after(dice.between(0, 3), () => self.resume(go));
  }
  return self;
}
