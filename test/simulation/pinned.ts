import type { ProfileName } from "./profiles.ts";

/** A seed that once broke a promise, and how. A change to the simulated world makes another world of it. */
export type Pinned = { readonly seed: number; readonly profile: ProfileName; readonly once: string };

export const pinned: readonly Pinned[] = [];
