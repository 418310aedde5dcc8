import { connectDynamo, connectS3, connectSqs } from "@plantain/aws/clients";
import { dynamoPools } from "@plantain/aws/dynamo-pools";
import { s3Objects } from "@plantain/aws/s3-objects";
import { sqsJobQueue } from "@plantain/aws/sqs-job-queue";
import { systemClock } from "./ambient.ts";
import { type Environment, limitsOf, policyOf, webhookPorts } from "./compose.ts";
import { SweepEnv } from "./env.ts";
import { jsonLog } from "./log.ts";

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
    objects: s3Objects(connectS3(), env.BUCKET),
    queue: sqsJobQueue(sqs, env.JOBS_QUEUE_URL),
    clock: systemClock,
    policy: policyOf(env),
    log,
  };
}
