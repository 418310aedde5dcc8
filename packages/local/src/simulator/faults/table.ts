import { invalidArgument } from "../refusal.ts";
import { errorFaults } from "./errors.ts";
import type { Fault } from "./fault.ts";
import { imagelessFaults } from "./imageless.ts";
import { variantFaults } from "./variants.ts";
import { wireFaults } from "./wire.ts";

/** Every way in which a call can go wrong, or just otherwise than expected. */
export const faults: readonly Fault[] = [...imagelessFaults, ...errorFaults, ...wireFaults, ...variantFaults];

/** A fault to apply, with its argument. */
export type AppliedFault = { fault: Fault; argument: string | null };

/**
 * Finds a fault by its name.
 *
 * @throws Refusal 400 naming the place that lists them all
 */
export function namedFault(name: string, argument: string | null): AppliedFault {
  const fault = faults.find((each) => each.name === name);
  if (fault !== undefined) return { fault, argument };
  throw invalidArgument(`Unknown simulator fault "${name}": GET /__sim/faults lists them`);
}

/** Reads `NAME` or `NAME:argument`. */
export function faultFrom(spec: string): AppliedFault {
  const [name = "", ...rest] = spec.split(":");
  return namedFault(name, rest.length === 0 ? null : rest.join(":"));
}
