import { connectDynamo, connectS3, connectSqs } from "@plantain/aws/clients";
import { dynamoDeliveries } from "@plantain/aws/dynamo-deliveries";
import { dynamoEndpoints } from "@plantain/aws/dynamo-endpoints";
import { dynamoJobs } from "@plantain/aws/dynamo-jobs";
import { dynamoKeys } from "@plantain/aws/dynamo-keys";
import { dynamoPools } from "@plantain/aws/dynamo-pools";
import { s3Objects } from "@plantain/aws/s3-objects";
import { s3SignedUrls } from "@plantain/aws/s3-signed-urls";
import { sqsDeliveryQueue } from "@plantain/aws/sqs-delivery-queue";
import { sqsJobQueue } from "@plantain/aws/sqs-job-queue";
import type { Limits } from "@plantain/core/capacity/limits";
import { checkPolicy, type Policy } from "@plantain/core/job/policy";
import { type Registry, registryOf } from "@plantain/core/model/registry";
import { announcing } from "@plantain/core/webhook/announce";
import { caresResolver } from "@plantain/http/resolver";
import { urlChecker } from "@plantain/http/url-checker";
import type * as z from "zod";
import type { ApiPorts } from "../api/ports.ts";
import { systemClock, systemRandom } from "./ambient.ts";
import { ApiEnv, type CommonEnv, SweepEnv, type WorkerEnv } from "./env.ts";
import { jsonLog, type Log } from "./log.ts";

/*
 * The one place where the environment becomes adapters and adapters become ports; once per cold start. A wrong
 * environment fails here, before any event is taken.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

export function composeApi(environment: Environment): ApiPorts {
  const env = ApiEnv.parse(environment);
  const dynamo = connectDynamo();
  const s3 = connectS3();
  const sqs = connectSqs();
  const log = jsonLog("api");
  const allowLoopback = env.ALLOW_LOOPBACK_WEBHOOKS === "true";
  const registry = registryFrom(env);
  registry.choose(env.DEFAULT_MODEL); // or every job that names none would be refused
  return {
    ...webhookPorts(env, dynamo, sqs, log),
    allowLoopback,
    checkUrl: urlChecker({ resolve: caresResolver(), allowLoopback }),
    pools: dynamoPools(dynamo, env.TENANTS_TABLE),
    limits: limitsOf(env),
    queue: sqsJobQueue(sqs, env.JOBS_QUEUE_URL),
    objects: s3Objects(s3, env.BUCKET),
    signedUrls: s3SignedUrls(s3, env.BUCKET),
    keys: dynamoKeys(dynamo, env.TENANTS_TABLE),
    clock: systemClock,
    random: systemRandom,
    policy: policyOf(env),
    registry,
    defaultModel: env.DEFAULT_MODEL,
    log,
  };
}

export function composeSweep(environment: Environment) {
  const env = SweepEnv.parse(environment);
  const dynamo = connectDynamo();
  const sqs = connectSqs();
  const log = jsonLog("sweep");
  const { jobs, deliveries, deliveryQueue } = webhookPorts(env, dynamo, sqs, log);
  return {
    jobs,
    deliveries,
    deliveryQueue,
    pools: dynamoPools(dynamo, env.TENANTS_TABLE),
    limits: limitsOf(env),
    queue: sqsJobQueue(sqs, env.JOBS_QUEUE_URL),
    clock: systemClock,
    policy: policyOf(env),
    log,
  };
}

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
