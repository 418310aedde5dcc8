import type { connectDynamo, connectSqs } from "@plantain/aws/clients";
import { dynamoDeliveries } from "@plantain/aws/dynamo-deliveries";
import { dynamoEndpoints } from "@plantain/aws/dynamo-endpoints";
import { dynamoJobs } from "@plantain/aws/dynamo-jobs";
import { sqsDeliveryQueue } from "@plantain/aws/sqs-delivery-queue";
import type { Limits } from "@plantain/core/capacity/limits";
import { checkPolicy, type Policy } from "@plantain/core/job/policy";
import { type Registry, registryOf } from "@plantain/core/model/registry";
import { announcing } from "@plantain/core/webhook/announce";
import type * as z from "zod";
import type { ApiEnv, CommonEnv, SweepEnv, WorkerEnv } from "./env.ts";
import type { Log } from "./log.ts";

/*
 * `compose-*.ts` is the one place where a function's environment becomes adapters and adapters become ports; once per cold
 * start. A wrong environment fails there, before any event is taken. What several functions have alike is here.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** Jobs whose end is announced, and what that takes. Whoever can end a job gets his jobs from here. */
export function webhookPorts(
  env: CommonEnv,
  dynamo: ReturnType<typeof connectDynamo>,
  sqs: ReturnType<typeof connectSqs>,
  log: Log,
) {
  const endpoints = dynamoEndpoints(dynamo, env.TENANTS_TABLE, env.JOBS_TABLE);
  const deliveryQueue = sqsDeliveryQueue(sqs, {
    fast: env.DELIVERIES_QUEUE_URL,
    slow: env.SLOW_DELIVERIES_QUEUE_URL,
  });
  const jobs = announcing(
    dynamoJobs(dynamo, env.JOBS_TABLE),
    { endpoints, deliveryQueue, policy: policyOf(env) },
    (error) => log.warn("Cannot send delivery; the sweep will", { error }),
  );
  return { jobs, endpoints, deliveries: dynamoDeliveries(dynamo, env.JOBS_TABLE), deliveryQueue };
}

export function registryFrom(env: z.infer<typeof ApiEnv> | z.infer<typeof WorkerEnv>): Registry {
  return registryOf({ retired: env.RETIRED_MODELS, overrides: env.MODEL_OVERRIDES });
}

export function limitsOf(env: z.infer<typeof SweepEnv>): Limits {
  return {
    jobsPerTenant: env.JOBS_PER_TENANT,
    callsPerModel: env.CALLS_PER_MODEL,
    longestClosureMs: env.LONGEST_CLOSURE_MS,
    providerKeys: env.GEMINI_API_KEY_PARAMETERS,
  };
}

export function policyOf(env: CommonEnv): Policy {
  return checkPolicy({
    leaseMs: env.LEASE_MS,
    beatMs: env.BEAT_MS,
    beatVisibilityMs: env.BEAT_VISIBILITY_MS,
    callMs: env.CALL_MS,
    callMarginMs: env.CALL_MARGIN_MS,
    arrivalMs: env.ARRIVAL_MS,
  });
}
