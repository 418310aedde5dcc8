import type { Mutant } from "./mutant.ts";

const capacity = "packages/core/src/capacity/";

/** Guards of who may be in work, and of those who wait. */
export const placeMutants: readonly Mutant[] = [
  {
    name: "too-many-places",
    guard: "no more places are given out than there are",
    changes: [
      {
        file: `${capacity}pool.ts`,
        find: "if (isBehind || free <= 0) return",
        replace: "if (isBehind) return",
      },
      { file: `${capacity}pool.ts`, find: "calls: Math.min(calls, free)", replace: "calls" },
    ],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "place-not-given-back",
    guard: "an attempt gives its places back",
    changes: [
      {
        file: `${capacity}admit.ts`,
        find: "await promote(ports, await vacate(ports, name, job, fence, []));",
        replace: "void ports;",
      },
    ],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "gate-ignored",
    guard: "a model that refuses everybody is left alone",
    changes: [
      {
        file: `${capacity}gate.ts`,
        find: "return gate.closedUntil > at ? 0 :",
        replace: "return gate.closedUntil < 0 ? 0 :",
      },
    ],
    profile: "provider",
    fate: { killedWithin: 100 },
  },
  {
    name: "closed-gate-renewed",
    guard: "a place taken before its gate closed is no ticket",
    changes: [
      {
        file: `${capacity}pool.ts`,
        find: "return bounds.keys.includes(key) && gateOf(pool, key, bounds).closedUntil <= at;",
        replace: "return bounds.keys.includes(key) && at > 0;",
      },
    ],
    profile: "echoes",
    fate: { killedWithin: 400 },
  },
  {
    name: "nobody-let-in",
    guard: "whoever gives a place back lets in who waits for it",
    changes: [
      {
        file: `${capacity}promote.ts`,
        find: "if (tenant === null || steps >= mostAtOnce) return { promoted, toWake };",
        replace: "if (tenant === null || steps >= 0) return { promoted, toWake };",
      },
    ],
    profile: "none",
    fate: { killedWithin: 100 },
  },
  {
    name: "promoted-not-sent",
    guard: "a job that is let in gets a message",
    changes: [
      {
        file: `${capacity}promote.ts`,
        find: "    await queue.send(job, 0);\n    return { letIn: true",
        replace: "    void queue;\n    return { letIn: true",
      },
    ],
    profile: "provider",
    fate: { maskedBy: "no-sweep" },
  },
];
