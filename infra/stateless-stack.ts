import { CfnOutput, Duration, Stack } from "aws-cdk-lib";
import { RecursiveLoop } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import { Alarms } from "./constructs/alarms.ts";
import { HttpFront } from "./constructs/http-front.ts";
import { Minutely } from "./constructs/minutely.ts";
import { NodeFunction } from "./constructs/node-function.ts";
import { WorkQueue } from "./constructs/work-queue.ts";
import {
  acknowledgeFolders,
  apiPermissions,
  deliverPermissions,
  parameterArn,
  type Resources,
  sweepPermissions,
  workerPermissions,
} from "./permissions.ts";
import type { Stage } from "./stage.ts";
import type { StatefulStack } from "./stateful-stack.ts";

export interface StatelessStackProps {
  readonly stage: Stage;
  readonly data: StatefulStack;
}

/** What can be thrown away and deployed again at any time: the queue, the functions and the HTTP front. */
export class StatelessStack extends Stack {
  constructor(scope: Construct, id: string, { stage, data }: StatelessStackProps) {
    super(scope, id, {
      description: `Plantain ${stage.name}: API, workers and sweep`,
      tags: { "plantain:stage": stage.name },
    });
    const workerTimeout = Duration.seconds(stage.worker.timeoutSeconds);
    const alarms = new Alarms(this, "Alarms", { emails: stage.alarmEmails });

    const jobs = new WorkQueue(this, "Jobs", {
      workerTimeout,
      alarms,
      setAside: {
        impact: "Messages of jobs keep failing: those jobs are late, though sweep sends each again.",
        article: "jobs-set-aside",
      },
      late: {
        impact: "Jobs wait half an hour and more to be worked on; many will miss their deadline.",
        article: "jobs-wait-too-long",
      },
    });

    const deliverTimeout = Duration.seconds(stage.deliver.timeoutSeconds);
    const lane = {
      workerTimeout: deliverTimeout,
      alarms,
      setAside: {
        impact: "Messages of webhook deliveries keep failing: those are late, though sweep sends each again.",
        article: "deliveries-set-aside",
      },
      late: {
        impact: "Webhooks wait half an hour and more to be delivered: customers hear late of their jobs.",
        article: "deliveries-wait-too-long",
      },
    } as const;
    const deliveries = new WorkQueue(this, "Deliveries", lane);
    const slowDeliveries = new WorkQueue(this, "SlowDeliveries", lane);

    const resources: Resources = {
      jobs: data.jobs,
      tenants: data.tenants,
      bucket: data.bucket,
      queue: jobs.queue,
      deliveries: { fast: deliveries.queue, slow: slowDeliveries.queue },
      geminiApiKeyArns: stage.geminiApiKeyParameters.map((name) => parameterArn(this, name)),
    };
    const logs = { logRetentionDays: stage.logRetentionDays, keepLogs: stage.keepData };
    const environment = commonEnvironment(stage, resources);
    const models = {
      RETIRED_MODELS: stage.models.retired,
      MODEL_OVERRIDES: JSON.stringify(stage.models.overrides),
    };
    const capacity = {
      JOBS_PER_TENANT: String(stage.capacity.jobsPerTenant),
      CALLS_PER_MODEL: String(stage.capacity.callsPerModel),
      LONGEST_CLOSURE_MS: String(stage.capacity.longestClosureMs),
      GEMINI_API_KEY_PARAMETERS: stage.geminiApiKeyParameters.join(","),
    };

    const api = new NodeFunction(this, "Api", {
      name: "api",
      description: "Answers HTTP requests: submits, reads and cancels jobs",
      memoryMb: stage.api.memoryMb,
      timeout: Duration.seconds(stage.api.timeoutSeconds),
      environment: { ...environment, ...models, ...capacity, DEFAULT_MODEL: stage.defaultModel },
      permissions: apiPermissions(resources),
      ...logs,
    });
    acknowledgeFolders(api, ["meta", "out"], data);
    const front = new HttpFront(this, "Http", {
      answerer: api,
      requestsPerSecond: stage.api.requestsPerSecond,
      burst: stage.api.burst,
      alarms,
      failing: {
        impact: "Requests are answered 5xx: customers cannot submit or read jobs.",
        article: "api-answers-5xx",
      },
      ...logs,
    });

    const worker = new NodeFunction(this, "Worker", {
      name: "worker",
      description: "Works jobs off: calls Gemini and stores the images",
      memoryMb: stage.worker.memoryMb,
      timeout: workerTimeout,
      environment: { ...environment, ...models, ...capacity },
      permissions: workerPermissions(resources),
      // A job that is rate limited goes around many times; Lambda would stop it at the 16th. Deadlines end it instead.
      recursiveLoop: RecursiveLoop.ALLOW,
      ...logs,
    });
    acknowledgeFolders(worker, ["meta", "out"], data);
    jobs.workedOffBy(worker, {
      batchSize: stage.worker.batchSize,
      maxConcurrency: stage.worker.maxConcurrency,
      crashing: {
        impact: "Workers crash or time out: their jobs start over late, and an image may be paid for twice.",
        article: "workers-crash",
      },
    });

    alarms.add(
      "GeminiRefuses",
      {
        impact: "Jobs wait in vain: Gemini refuses our key, project or billing.",
        article: "gemini-refuses-us",
      },
      {
        metric: worker.countLogLines("GeminiRefusals", "failureCode", ["billing", "provider_configuration"]),
        ...sinceTheLatestProbe,
      },
    );
    alarms.add(
      "GeminiQuotaUsedUp",
      {
        impact: "Jobs are held until their deadline: the daily quota of the Gemini project is used up.",
        article: "gemini-quota-used-up",
      },
      {
        metric: worker.countLogLines("GeminiQuotaRefusals", "failureCode", ["quota_exhausted"]),
        ...sinceTheLatestProbe,
      },
    );

    const deliver = new NodeFunction(this, "Deliver", {
      name: "deliver",
      description: "Delivers webhooks: tells customers' endpoints how jobs ended",
      memoryMb: stage.deliver.memoryMb,
      timeout: deliverTimeout,
      environment: { ...deliverEnvironment(environment), API_URL: front.url },
      permissions: deliverPermissions(resources),
      // A delivery goes around ten times, and many more where it waits for its turn
      recursiveLoop: RecursiveLoop.ALLOW,
      ...logs,
    });
    const crashing = {
      impact:
        "The function that delivers webhooks crashes or times out: customers may get them late, or twice.",
      article: "deliver-crashes",
    } as const;
    const { batchSize, maxConcurrency, slowMaxConcurrency } = stage.deliver;
    deliveries.workedOffBy(deliver, { batchSize, maxConcurrency, crashing });
    slowDeliveries.workedOffBy(deliver, { batchSize, maxConcurrency: slowMaxConcurrency });

    const sweep = new NodeFunction(this, "Sweep", {
      name: "sweep",
      description: "Finds jobs that are due or forgotten and sends them again; erases deleted ones",
      memoryMb: stage.sweep.memoryMb,
      timeout: Duration.seconds(stage.sweep.timeoutSeconds),
      environment: { ...environment, ...capacity },
      permissions: sweepPermissions(resources),
      ...logs,
    });
    acknowledgeFolders(sweep, ["meta", "out"], data);
    new Minutely(this, "Sweeping", {
      run: sweep,
      alarms,
      stopped: {
        impact: "Nothing recovers: retries, lost messages and deadlines of jobs are not seen to.",
        article: "sweep-has-stopped",
      },
    });

    new CfnOutput(this, "ApiUrl", { value: front.url });
    new CfnOutput(this, "JobsQueueUrl", { value: jobs.queue.queueUrl });
    new CfnOutput(this, "DeliveriesQueueUrl", { value: deliveries.queue.queueUrl });
    new CfnOutput(this, "SlowDeliveriesQueueUrl", { value: slowDeliveries.queue.queueUrl });
    new CfnOutput(this, "AlarmTopicArn", { value: alarms.topic.topicArn });
  }
}

/** While a gate is closed nothing is heard of its model but a probe now and then, a quarter of an hour apart at most. */
const sinceTheLatestProbe = { threshold: 1, evaluationPeriods: 4, datapointsToAlarm: 1 };

/** What `functions/runtime/env.ts` demands of every function. */
function commonEnvironment({ name, protocol }: Stage, resources: Resources) {
  const { jobs, tenants, bucket, queue, deliveries } = resources;
  return {
    STAGE: name,
    JOBS_TABLE: jobs.tableName,
    TENANTS_TABLE: tenants.tableName,
    JOBS_QUEUE_URL: queue.queueUrl,
    DELIVERIES_QUEUE_URL: deliveries.fast.queueUrl,
    SLOW_DELIVERIES_QUEUE_URL: deliveries.slow.queueUrl,
    BUCKET: bucket.bucketName,
    LEASE_MS: String(protocol.leaseMs),
    BEAT_MS: String(protocol.beatMs),
    BEAT_VISIBILITY_MS: String(protocol.beatVisibilityMs),
    CALL_MS: String(protocol.callMs),
    CALL_MARGIN_MS: String(protocol.callMarginMs),
    ARRIVAL_MS: String(protocol.arrivalMs),
  };
}

/** The part of it that `deliver` needs. */
function deliverEnvironment(common: ReturnType<typeof commonEnvironment>) {
  const { STAGE, JOBS_TABLE, TENANTS_TABLE, DELIVERIES_QUEUE_URL, SLOW_DELIVERIES_QUEUE_URL, ARRIVAL_MS } =
    common;
  return { STAGE, JOBS_TABLE, TENANTS_TABLE, DELIVERIES_QUEUE_URL, SLOW_DELIVERIES_QUEUE_URL, ARRIVAL_MS };
}
