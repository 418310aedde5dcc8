import { connectDynamo, connectSqs } from "@plantain/aws/clients";
import { dynamoDeliveries } from "@plantain/aws/dynamo-deliveries";
import { dynamoEndpoints } from "@plantain/aws/dynamo-endpoints";
import { dynamoJobs } from "@plantain/aws/dynamo-jobs";
import { sqsDeliveryQueue } from "@plantain/aws/sqs-delivery-queue";
import type { DeliverPorts } from "@plantain/core/webhook/deliver";
import { httpClient } from "@plantain/http/client";
import { payload } from "../deliver/payload.ts";
import { systemClock, systemRandom } from "./ambient.ts";
import { DeliverEnv } from "./env.ts";
import { jsonLog, type Log } from "./log.ts";

/**
 * For `deliver` alone: the client for URLs that users choose brings an HTTP stack that takes over the
 * process's own.
 */
export function composeDeliver(
  environment: Readonly<Record<string, string | undefined>>,
): DeliverPorts & { log: Log } {
  const env = DeliverEnv.parse(environment);
  const dynamo = connectDynamo();
  return {
    deliveries: dynamoDeliveries(dynamo, env.JOBS_TABLE),
    endpoints: dynamoEndpoints(dynamo, env.TENANTS_TABLE, env.JOBS_TABLE),
    jobs: dynamoJobs(dynamo, env.JOBS_TABLE),
    deliveryQueue: sqsDeliveryQueue(connectSqs(), {
      fast: env.DELIVERIES_QUEUE_URL,
      slow: env.SLOW_DELIVERIES_QUEUE_URL,
    }),
    sender: httpClient({ allowLoopback: env.ALLOW_LOOPBACK_WEBHOOKS === "true" }),
    clock: systemClock,
    random: systemRandom,
    policy: { arrivalMs: env.ARRIVAL_MS },
    render: (event, record) => payload(event, record, env.API_URL),
    log: jsonLog("deliver"),
  };
}
