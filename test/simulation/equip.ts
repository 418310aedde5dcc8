import type { Limits } from "@plantain/core/capacity/limits";
import type { Pools } from "@plantain/core/capacity/ports";
import type { Clock } from "@plantain/core/clock";
import type { Policy } from "@plantain/core/job/policy";
import type { JobQueue, Jobs, Objects } from "@plantain/core/job/ports";
import type { Registry } from "@plantain/core/model/registry";
import { samplePolicy, sampleRegistry } from "@plantain/memory/samples";
import type { Caller } from "./caller.ts";
import type { Network } from "./network.ts";
import type { SimulatedPools } from "./pools.ts";
import type { Queue } from "./queue.ts";
import { remote } from "./remote.ts";
import { type Table, tableRepeats } from "./table.ts";
import type { Timeline } from "./timeline.ts";

/** The services of a simulated world, before anything lies between them and a process. */
export type Services = {
  readonly table: Table;
  readonly pools: SimulatedPools;
  readonly queue: Queue;
  readonly objects: Objects;
};

/** What every process has; `via` brings it to anything else. */
export type Equipment = {
  readonly jobs: Jobs;
  readonly pools: Pools;
  readonly limits: Limits;
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
  { table, pools, queue, objects }: Services,
  caller: Caller,
): Equipment {
  const { run, process } = caller;
  const onFailure = (label: string) => {
    if (label === "jobs.write.running") run?.failedBeats.push(timeline.now);
    if (run && label === "jobs.settle") run.isMuted = true;
  };
  const via = <P extends object>(service: string, port: P) =>
    remote(network, caller, service, port, { onFailure });
  return {
    jobs: remote(network, caller, "jobs", table.serve(caller), { repeats: tableRepeats, onFailure }),
    pools: via("pools", pools.served),
    limits: pools.limits,
    queue: via("queue", queue.port),
    objects: via("objects", objects),
    clock: process.clock,
    policy: samplePolicy,
    registry: sampleRegistry,
    defaultModel: "gemini-3-pro-image",
    via,
  };
}
