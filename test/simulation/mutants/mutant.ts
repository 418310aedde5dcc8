import type { Change } from "../mutate.ts";
import type { ProfileName } from "../profiles.ts";

/** The code with one guard taken out. */
export type Mutant = {
  readonly name: string;
  /** The guard that is missing, in a few words. */
  readonly guard: string;
  readonly changes: readonly Change[];
  /** The world in which the guard is needed. */
  readonly profile: ProfileName;
  readonly fate: Fate;
};

export type Fate =
  /** The simulation notices within so many seeds. */
  | { readonly killedWithin: number }
  /** Nothing comes of it, since another guard mends it: the mutant that lacks both dies, the other alone lives. */
  | { readonly maskedBy: string };

export const job = "packages/core/src/job/";
export const memory = "packages/memory/src/";
