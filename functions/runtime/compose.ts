import { connectDynamo, connectS3, connectSqs, connectSsm } from "@plantain/aws/clients";
import { dynamoDeliveries } from "@plantain/aws/dynamo-deliveries";
import { dynamoEndpoints } from "@plantain/aws/dynamo-endpoints";
import { dynamoJobs } from "@plantain/aws/dynamo-jobs";
import { dynamoKeys } from "@plantain/aws/dynamo-keys";
import { dynamoPools } from "@plantain/aws/dynamo-pools";
import { s3Objects } from "@plantain/aws/s3-objects";
import { s3SignedUrls } from "@plantain/aws/s3-signed-urls";
import { sqsDelivered } from "@plantain/aws/sqs-delivered";
import { sqsDeliveryQueue } from "@plantain/aws/sqs-delivery-queue";
import { sqsJobQueue } from "@plantain/aws/sqs-job-queue";
import { ssmSecrets } from "@plantain/aws/ssm-secrets";
import type { Limits } from "@plantain/core/capacity/limits";
import { memoryBudget } from "@plantain/core/job/memory-budget";
import { checkPolicy, type Policy } from "@plantain/core/job/policy";
import type { Delivered } from "@plantain/core/job/ports";
import type { WorkerPorts } from "@plantain/core/job/run-attempt";
import { type Registry, registryOf } from "@plantain/core/model/registry";
import { announcing } from "@plantain/core/webhook/announce";
import { geminiImageModel } from "@plantain/gemini/image-model";
import type * as z from "zod";
import type { ApiPorts } from "../api/ports.ts";
import { systemClock, systemRandom } from "./ambient.ts";
import { ApiEnv, type CommonEnv, SweepEnv, WorkerEnv } from "./env.ts";
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
  const registry = registryFrom(env);
  registry.choose(env.DEFAULT_MODEL); // or every job that names none would be refused
  return {
    ...webhookPorts(env, dynamo, sqs, log),
    allowLoopback: env.ALLOW_LOOPBACK_WEBHOOKS === "true",
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

export function composeWorker(
  environment: Environment,
): WorkerPorts & { log: Log; delivered(receiptHandle: string): Delivered } {
  const env = WorkerEnv.parse(environment);
  const dynamo = connectDynamo();
  const sqs = connectSqs();
  const log = jsonLog("worker");
  const baseUrl = env.GOOGLE_GEMINI_BASE_URL;
  return {
    jobs: webhookPorts(env, dynamo, sqs, log).jobs,
    pools: dynamoPools(dynamo, env.TENANTS_TABLE),
    limits: limitsOf(env),
    queue: sqsJobQueue(sqs, env.JOBS_QUEUE_URL),
    objects: s3Objects(connectS3(), env.BUCKET),
    model: geminiImageModel({
      apiKey: ssmSecrets(connectSsm(), systemClock.now),
      callTimeoutMs: env.CALL_MS,
      ...(baseUrl === undefined ? {} : { baseUrl }),
    }),
    clock: systemClock,
    random: systemRandom,
    policy: policyOf(env),
    registry: registryFrom(env),
    memory: memoryBudget(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE * 2 ** 20 - ownMemory),
    delivered: (receiptHandle) => sqsDelivered(sqs, env.JOBS_QUEUE_URL, receiptHandle),
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
function webhookPorts(
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

/** What the worker takes without a picture in hand: Node, the bundle and the SDKs. */
const ownMemory = 150 * 2 ** 20;

function registryFrom(env: z.infer<typeof ApiEnv> | z.infer<typeof WorkerEnv>): Registry {
  return registryOf({ retired: env.RETIRED_MODELS, overrides: env.MODEL_OVERRIDES });
}

function limitsOf(env: z.infer<typeof SweepEnv>): Limits {
  return {
    jobsPerTenant: env.JOBS_PER_TENANT,
    callsPerModel: env.CALLS_PER_MODEL,
    longestClosureMs: env.LONGEST_CLOSURE_MS,
    providerKeys: env.GEMINI_API_KEY_PARAMETERS,
  };
}

function policyOf(env: CommonEnv): Policy {
  return checkPolicy({
    leaseMs: env.LEASE_MS,
    beatMs: env.BEAT_MS,
    beatVisibilityMs: env.BEAT_VISIBILITY_MS,
    callMs: env.CALL_MS,
    callMarginMs: env.CALL_MARGIN_MS,
    arrivalMs: env.ARRIVAL_MS,
  });
}
