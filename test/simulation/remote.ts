import { isJobId } from "@plantain/core/id";
import { isDeliveryId, isEndpointId } from "@plantain/core/webhook/ids";
import type { Caller } from "./caller.ts";
import type { Network } from "./network.ts";

type Method = (...args: unknown[]) => Promise<unknown>;

/** By method: what a caller hears whose SDK sent the request twice. Without an entry, the second answer. */
export type Repeats = Readonly<
  Record<string, (args: unknown[], first: unknown, serve: () => Promise<unknown>) => Promise<unknown>>
>;

/**
 * A port as a process has it: each method goes through the network to `service` and back. It wraps whatever methods
 * the port has, so a new one is simulated from the day it exists.
 */
export function remote<P extends object>(
  network: Network,
  { process }: Caller,
  service: string,
  port: P,
  { repeats = {}, onFailure }: { repeats?: Repeats; onFailure?: (label: string) => void } = {},
): P {
  const methods = Object.entries<Method>(port as Record<string, Method>).map(([name, method]) => {
    const send: Method = (...args) => {
      const label = `${service}.${name}${writing(args)}`;
      return network.send(process, {
        label,
        subject: subjectOf(args),
        isWrite: name === "write" || name === "create",
        serve: () => method(...args),
        repeated: (first, serve) => repeats[name]?.(args, first, serve) ?? serve(),
        onFailure: () => onFailure?.(label),
      });
    };
    return [name, send];
  });
  return Object.fromEntries(methods) as P;
}

/** What a write makes of a job: a claim, a commit, a hold and a promotion are effects of their own. */
function writing([from, to]: readonly unknown[]): string {
  if (typeof to !== "object" || to === null || !("status" in to)) return "";
  if (isHeld(to)) return ".held";
  return to.status === "queued" && isHeld(from) ? ".promoted" : `.${String(to.status)}`;
}

function isHeld(job: unknown): boolean {
  return typeof job === "object" && job !== null && "held" in job && job.held !== null;
}

/** The job, delivery or endpoint that a request is about, wherever in its arguments it is named. */
function subjectOf([first, second]: readonly unknown[]): string | null {
  if (typeof first === "string") {
    if (isSubject(first)) return first;
    if (typeof second === "string" && isEndpointId(second)) return second;
    return /job_[0-9a-z]{26}/.exec(first)?.[0] ?? null;
  }
  if (typeof first !== "object" || first === null || !("id" in first)) return null;
  return typeof first.id === "string" && isSubject(first.id) ? first.id : null;
}

function isSubject(id: string): boolean {
  return isJobId(id) || isDeliveryId(id) || isEndpointId(id);
}
