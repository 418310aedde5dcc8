import { SQSClient } from "@aws-sdk/client-sqs";
import type { Access } from "./aws/access.ts";
import { functionEnvironment } from "./lambda/environment.ts";
import { startMapping } from "./lambda/mapping.ts";
import { createPool, type FunctionPool, type PoolSize } from "./lambda/pool.ts";
import { startSchedule } from "./lambda/schedule.ts";
import { intervalMs, type OverriddenVariables } from "./overrides.ts";
import type { Print } from "./print.ts";
import type { FunctionSpec } from "./template/functions.ts";
import type { Plan } from "./template/plan.ts";

/** All functions of the plan and what drives them. */
export type Fleet = {
  readonly pools: readonly FunctionPool[];
  /** The pool behind the HTTP API. */
  readonly api: FunctionPool;
  /** Starts polling queues and ticking schedules. */
  drive(sweepSeconds: number | undefined): void;
  /** Ends polling, ticking and all threads. */
  stop(): Promise<void>;
};

/** API requests mostly wait, for the job or the store, so two threads take all that one machine can. */
const apiSize: PoolSize = { threads: 2, eventsPerThread: 500 };

/** Starts the plan's functions with a warm thread or two each. Throws when the module of one does not load. */
export async function startFleet(
  plan: Plan,
  access: Access,
  variables: OverriddenVariables,
  print: Print,
): Promise<Fleet> {
  const sqs = new SQSClient({ endpoint: variables.AWS_ENDPOINT_URL_SQS, ...access });
  const pools = new Map(plan.functions.map((spec) => [spec, poolOf(spec, plan, access, variables, print)]));
  const poolFor = (spec: FunctionSpec): FunctionPool => {
    const pool = pools.get(spec);
    if (pool === undefined) throw new Error(`Cannot find function "${spec.name}" in the plan`);
    return pool;
  };
  const endings: (() => void)[] = [];
  const fleet: Fleet = {
    pools: [...pools.values()],
    api: poolFor(plan.httpApi.function),
    drive(sweepSeconds) {
      for (const mapping of plan.mappings) {
        const pool = poolFor(mapping.function);
        endings.push(startMapping({ mapping, pool, sqs, region: access.region, print }));
      }
      for (const schedule of plan.schedules) {
        const everyMs = intervalMs(schedule.everySeconds, sweepSeconds);
        endings.push(startSchedule({ schedule, everyMs, pool: poolFor(schedule.function) }));
      }
    },
    async stop() {
      for (const end of endings) end();
      sqs.destroy();
      await Promise.all(fleet.pools.map((pool) => pool.stop()));
    },
  };
  try {
    await Promise.all(fleet.pools.map((pool) => pool.warm(pool === fleet.api ? apiSize.threads : 1)));
    return fleet;
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

function poolOf(
  spec: FunctionSpec,
  plan: Plan,
  access: Access,
  variables: OverriddenVariables,
  print: Print,
): FunctionPool {
  const thread = {
    name: spec.name,
    modulePath: spec.modulePath,
    exportName: spec.exportName,
    functionName: spec.physicalName,
    functionArn: spec.arn,
    memoryMb: spec.memoryMb,
    timeoutMs: spec.timeoutMs,
    environment: functionEnvironment(spec, access, variables),
  };
  return createPool(thread, spec === plan.httpApi.function ? apiSize : triggeredSize(spec, plan), print);
}

/** As many threads as the function's queues and schedules may use at once. */
function triggeredSize(spec: FunctionSpec, { mappings, schedules }: Plan): PoolSize {
  const batches = mappings
    .filter((mapping) => mapping.function === spec)
    .reduce((sum, { maxConcurrency }) => sum + maxConcurrency, 0);
  const ticks = schedules.filter((schedule) => schedule.function === spec).length;
  return { threads: spec.reservedConcurrency ?? Math.max(1, batches + ticks), eventsPerThread: 1 };
}
