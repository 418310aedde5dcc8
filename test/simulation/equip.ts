import type { Clock } from "@plantain/core/clock";
import type { Policy } from "@plantain/core/job/policy";
import type { JobQueue, Jobs, Objects } from "@plantain/core/job/ports";
import type { Registry } from "@plantain/core/model/registry";
import { samplePolicy, sampleRegistry } from "@plantain/memory/samples";
import type { Caller, Run } from "./caller.ts";
import type { Network } from "./network.ts";
import type { Queue } from "./queue.ts";
import { remote } from "./remote.ts";
import { type Table, tableRepeats } from "./table.ts";
import type { Timeline } from "./timeline.ts";

/** The services of a simulated world, before anything lies between them and a process. */
export type Services = { readonly table: Table; readonly queue: Queue; readonly objects: Objects };

/** What every process has; `via` brings it to anything else. */
export type Equipment = {
  readonly jobs: Jobs;
  readonly queue: JobQueue;
  readonly objects: Objects;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly registry: Registry;
  readonly defaultModel: string;
  readonly via: <P extends object>(service: string, port: P) => P;
};

/** The ports of one caller, each by way of the network. */
export function equip(
  { network, timeline }: { network: Network; timeline: Timeline },
  { table, queue, objects }: Services,
  caller: Caller,
): Equipment {
  const { run, process } = caller;
  const onFailure = (label: string, args: readonly unknown[]) => {
    if (run && isSetback(run, label, args)) run.setbacks.push(timeline.now);
    if (run && label === "jobs.settle") run.isMuted = true;
  };
  const via = <P extends object>(service: string, port: P) =>
    remote(network, caller, service, port, { onFailure });
  return {
    jobs: remote(network, caller, "jobs", table.serve(caller), { repeats: tableRepeats, onFailure }),
    queue: via("queue", queue.port),
    objects: via("objects", objects),
    clock: process.clock,
    policy: samplePolicy,
    registry: sampleRegistry,
    defaultModel: "gemini-3-pro-image",
    via,
  };
}

/** Tries after which a worker gives up storing what it has paid for. */
const insistence = 10;

/** Whether a failure keeps a run from holding its job, or from storing what it has paid for. */
function isSetback(run: Run, label: string, [first]: readonly unknown[]): boolean {
  if (label === "message.extend" || label === "jobs.write.running") return true;
  if (label !== "objects.put" || typeof first !== "string") return false;
  const refusals = (run.refusals.get(first) ?? 0) + 1;
  run.refusals.set(first, refusals);
  return refusals >= insistence;
}
