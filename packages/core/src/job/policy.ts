/** The protocol's numbers, in milliseconds. Their order is what makes it safe; `checkPolicy` states it. */
export type Policy = {
  /** How long a claim holds without a beat. */
  readonly leaseMs: number;
  /** How often the owner of a claim renews it. */
  readonly beatMs: number;
  /** How long the queue hides a message after each beat: a dead worker's job comes back after this. */
  readonly beatVisibilityMs: number;
  /** How long one call to Gemini may take. */
  readonly callMs: number;
  /** What a function needs after a call, to store and commit; less than this and a call, and it starts none. */
  readonly callMarginMs: number;
  /** Whoever sends a message expects it to arrive by then; the sweep looks no earlier. */
  readonly arrivalMs: number;
};

/** How many workers one job may bring down before it is failed. */
export const crashBudget = 5;

/** A message that comes this much too early is waited for in place rather than sent again. */
export const waitInPlaceMs = 5_000;

/** SQS delays a message by at most this; anything later is left to the sweep. */
export const longestDelayMs = 900_000;

/** How the sweep spaces its looks at one job, from the first to the longest. */
export const firstCheckMs = 60_000;
export const longestCheckMs = 600_000;

/** @throws RangeError naming the first inequality of the protocol that these numbers break */
export function checkPolicy(policy: Policy): Policy {
  const { leaseMs, beatMs, beatVisibilityMs, callMs, callMarginMs } = policy;
  const broken = Object.entries({
    "beatMs must be at most a third of leaseMs": beatMs * 3 > leaseMs,
    "leaseMs must be below beatVisibilityMs, so that a returning message finds the lease expired":
      leaseMs >= beatVisibilityMs,
    "callMarginMs must be above beatMs, so that a call's outcome can be committed": callMarginMs <= beatMs,
    "callMs must be above leaseMs, or beats would be pointless": callMs <= leaseMs,
  }).find(([, isBroken]) => isBroken);
  if (broken) throw new RangeError(`Cannot use policy ${JSON.stringify(policy)}: ${broken[0]}`);
  return policy;
}
