import { connectDynamo, connectS3, connectSqs } from "@plantain/aws/clients";
import { dynamoKeys } from "@plantain/aws/dynamo-keys";
import { dynamoPools } from "@plantain/aws/dynamo-pools";
import { s3Objects } from "@plantain/aws/s3-objects";
import { s3SignedUrls } from "@plantain/aws/s3-signed-urls";
import { sqsJobQueue } from "@plantain/aws/sqs-job-queue";
import { caresResolver } from "@plantain/http/resolver";
import { urlChecker } from "@plantain/http/url-checker";
import type { ApiPorts } from "../api/ports.ts";
import { systemClock, systemRandom } from "./ambient.ts";
import { type Environment, limitsOf, policyOf, registryFrom, webhookPorts } from "./compose.ts";
import { ApiEnv } from "./env.ts";
import { jsonLog } from "./log.ts";

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
