import type { Limits } from "@plantain/core/capacity/limits";
import type { Pools } from "@plantain/core/capacity/ports";
import type { Clock } from "@plantain/core/clock";
import type { Policy } from "@plantain/core/job/policy";
import type { JobQueue, Jobs, Objects } from "@plantain/core/job/ports";
import type { Registry } from "@plantain/core/model/registry";
import { announcing } from "@plantain/core/webhook/announce";
import type { Deliveries, DeliveryQueue, Endpoints } from "@plantain/core/webhook/ports";
import { samplePolicy, sampleRegistry } from "@plantain/memory/samples";
import type { Caller } from "./caller.ts";
import type { Network } from "./network.ts";
import type { SimulatedPools } from "./pools.ts";
import type { Queue } from "./queue.ts";
import { type Repeats, remote } from "./remote.ts";
import { type Table, tableRepeats } from "./table.ts";
import type { Timeline } from "./timeline.ts";
import type { Webhooks } from "./webhooks.ts";

/** The services of a simulated world, before anything lies between them and a process. */
export type Services = {
  readonly table: Table;
  readonly pools: SimulatedPools;
  readonly queue: Queue;
  readonly objects: Objects;
  readonly webhooks: Webhooks;
};

/** What every process has; `via` brings it to anything else. */
export type Equipment = {
  readonly jobs: Jobs;
  readonly pools: Pools;
  readonly limits: Limits;
  readonly queue: JobQueue;
  readonly objects: Objects;
  readonly endpoints: Endpoints;
  readonly deliveries: Deliveries;
  readonly deliveryQueue: DeliveryQueue;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly registry: Registry;
  readonly defaultModel: string;
  readonly via: <P extends object>(service: string, port: P) => P;
};

/** The ports of one caller, each by way of the network. */
export function equip(
  { network, timeline }: { network: Network; timeline: Timeline },
  { table, pools, queue, objects, webhooks }: Services,
  caller: Caller,
): Equipment {
  const { run, process } = caller;
  const onFailure = (label: string) => {
    if (label === "jobs.write.running") run?.failedBeats.push(timeline.now);
    if (run && label === "jobs.settle") run.isMuted = true;
  };
  const via = <P extends object>(service: string, port: P) =>
    remote(network, caller, service, port, { onFailure });
  const twice = { repeats: webhookRepeats };
  const told = {
    endpoints: remote(network, caller, "endpoints", webhooks.endpoints, twice),
    deliveries: remote(network, caller, "deliveries", webhooks.deliveries, twice),
    deliveryQueue: via("deliveryQueue", webhooks.deliveryQueue),
    policy: samplePolicy,
  };
  const jobs = remote(network, caller, "jobs", table.serve(caller), { repeats: tableRepeats, onFailure });
  return {
    ...told,
    jobs: announcing(jobs, told, () => undefined),
    pools: via("pools", pools.served),
    limits: pools.limits,
    queue: via("queue", jobQueue(queue)),
    objects: via("objects", objects),
    clock: process.clock,
    registry: sampleRegistry,
    defaultModel: "gemini-3-pro-image",
    via,
  };
}

function jobQueue(queue: Queue): JobQueue {
  return { send: ({ id, tenant }, delayMs) => queue.send(JSON.stringify({ jobId: id }), tenant, delayMs) };
}

/** How a repeated request ends in DynamoDB: a transaction counts once; a single write meets its own write id. */
const webhookRepeats: Repeats = {
  announce: (_args, first) => Promise.resolve(first),
  write: (_args, first) => Promise.resolve(first),
};
