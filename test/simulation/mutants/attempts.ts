import { job, type Mutant } from "./mutant.ts";

/** Guards of one attempt: its lease, its call, its bill. */
export const attemptMutants: readonly Mutant[] = [
  {
    name: "no-heartbeat",
    guard: "a lease is renewed while a call lasts",
    changes: [
      {
        file: `${job}heartbeat.ts`,
        find: "clock.sleep(policy.beatMs, stopped.signal)",
        replace: "clock.sleep(policy.beatMs * 1_000, stopped.signal)",
      },
    ],
    profile: "default",
    fate: { killedWithin: 50 },
  },
  {
    name: "no-abort",
    guard: "a call is given up when its lease is lost",
    changes: [
      {
        file: `${job}heartbeat.ts`,
        find: "if (beat.refused) return lost.abort(new LeaseLost(beat.refused));",
        replace: "if (beat.refused) return;",
      },
    ],
    profile: "default",
    fate: { killedWithin: 100 },
  },
  {
    name: "no-recheck",
    guard: "whoever pays has just proven that the job is his",
    changes: [
      {
        file: `${job}run-attempt.ts`,
        find: "await recheck(ports, own, paying, signal);",
        replace: '"fresh";',
      },
    ],
    profile: "heavy",
    fate: { killedWithin: 50 },
  },
  {
    name: "call-without-limit",
    guard: "a call that hangs is given up",
    changes: [
      {
        file: `${job}pay.ts`,
        find: "clock.sleep(limitMs, answered.signal)",
        replace: "clock.sleep(limitMs * 100, answered.signal)",
      },
    ],
    profile: "provider",
    fate: { killedWithin: 50 },
  },
  {
    name: "failed-beat-ignored",
    guard: "who can't prove that the job is still his gives up what he pays for",
    changes: [
      {
        file: `${job}heartbeat.ts`,
        find: 'return lost.abort(new LeaseLost("beat_failed", { cause: error }));',
        replace: "if (error !== null) continue;",
      },
    ],
    profile: "default",
    fate: { killedWithin: 200 },
  },
  {
    name: "call-without-time",
    guard: "no call is begun that the function might not live to see the end of",
    changes: [
      {
        file: `${job}run-attempt.ts`,
        find: "if (leftMs() < policy.callMs + policy.callMarginMs)",
        replace: "if (leftMs() < 0)",
      },
    ],
    profile: "cramped",
    fate: { killedWithin: 200 },
  },
  {
    name: "memory-not-freed",
    guard: "an attempt gives back the memory that it took",
    changes: [{ file: `${job}run-attempt.ts`, find: "    freeMemory();", replace: "    void freeMemory;" }],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "bill-not-told",
    guard: "an attempt that isn't the one to end its job still tells its bill",
    changes: [
      {
        file: `${job}run-attempt.ts`,
        find: "await tellBill(ports, claimed, calls);",
        replace: "void tellBill;",
      },
    ],
    profile: "default",
    fate: { killedWithin: 100 },
  },
];
