import { connectDynamo, connectS3, connectSqs, connectSsm } from "@plantain/aws/clients";
import { dynamoPools } from "@plantain/aws/dynamo-pools";
import { s3Objects } from "@plantain/aws/s3-objects";
import { sqsDelivered } from "@plantain/aws/sqs-delivered";
import { sqsJobQueue } from "@plantain/aws/sqs-job-queue";
import { ssmSecrets } from "@plantain/aws/ssm-secrets";
import { memoryBudget } from "@plantain/core/job/memory-budget";
import type { Delivered } from "@plantain/core/job/ports";
import type { WorkerPorts } from "@plantain/core/job/run-attempt";
import { geminiImageModel } from "@plantain/gemini/image-model";
import { httpClient } from "@plantain/http/client";
import { systemClock, systemRandom } from "./ambient.ts";
import { type Environment, limitsOf, policyOf, registryFrom, webhookPorts } from "./compose.ts";
import { WorkerEnv } from "./env.ts";
import { jsonLog, type Log } from "./log.ts";

/**
 * For the worker, with the client for URLs that users choose, as in `compose-deliver.ts`. Nothing
 * else in the worker goes through the HTTP stack that this takes over: AWS and Gemini are called through `node:http`.
 */
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
    downloader: httpClient({ allowLoopback: env.ALLOW_LOOPBACK_WEBHOOKS === "true" }),
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

/** What the worker takes without a picture in hand: Node, the bundle and the SDKs. */
const ownMemory = 150 * 2 ** 20;
