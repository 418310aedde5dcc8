import { attemptMutants } from "./attempts.ts";
import { callerMutants } from "./callers.ts";
import type { Mutant } from "./mutant.ts";
import { placeMutants } from "./places.ts";
import { recoveryMutants } from "./recovery.ts";
import { stateMutants } from "./states.ts";
import { storeMutants } from "./stores.ts";
import { webhookMutants } from "./webhooks.ts";

/** Every guard of the protocol has its mutant. */
export const mutants: readonly Mutant[] = [
  ...stateMutants,
  ...attemptMutants,
  ...storeMutants,
  ...recoveryMutants,
  ...placeMutants,
  ...callerMutants,
  ...webhookMutants,
];

/** @throws Error naming the mutants there are */
export function mutantNamed(name: string): Mutant {
  const mutant = mutants.find((each) => each.name === name);
  if (mutant) return mutant;
  const names = mutants.map((each) => `  ${each.name.padEnd(26)}${each.guard}`).join("\n");
  throw new Error(`Cannot run mutant "${name}": there is none; the mutants are\n${names}`);
}
