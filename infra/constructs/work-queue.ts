import { Duration } from "aws-cdk-lib";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Alarms, Notice } from "./alarms.ts";
import type { NodeFunction } from "./node-function.ts";

/** No message may be older: the longest delay SQS allows (15 min), one run of the slowest worker, and a retry. */
const oldestAllowed = Duration.minutes(30);

export interface WorkQueueProps {
  /** Timeout of the function that works the queue off. */
  readonly workerTimeout: Duration;
  readonly alarms: Alarms;
  /** Shown when a message has been set aside. */
  readonly setAside: Notice;
  /** Shown when messages wait longer than any of them should. */
  readonly late: Notice;
}

interface WorkerLimits {
  readonly batchSize: number;
  readonly maxConcurrency: number;
  /** Shown when the worker crashes or times out; left out where another queue of the same worker has that alarm. */
  readonly crashing?: Notice;
}

/** A queue, its dead letters, and the alarms that say nobody works it off. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  private readonly alarms: Alarms;

  constructor(scope: Construct, id: string, { workerTimeout, alarms, setAside, late }: WorkQueueProps) {
    super(scope, id);
    this.alarms = alarms;
    const deadLetters = new Queue(this, "DeadLetters", {
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, "Queue", {
      enforceSSL: true,
      // AWS asks for six times, since its poller holds messages back while the function is throttled.
      visibilityTimeout: Duration.seconds(6 * workerTimeout.toSeconds()),
      // Retries are new messages, so five receives of the same one are five crashes.
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: 5 },
    });
    alarms.add(`${id}SetAside`, setAside, {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: "Maximum",
      }),
      threshold: 1,
      evaluationPeriods: 1,
    });
    alarms.add(`${id}Late`, late, {
      metric: this.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(5) }),
      threshold: oldestAllowed.toSeconds(),
      evaluationPeriods: 1,
    });
  }

  /** Lets the function work the queue off: `batchSize` messages at a time in at most `maxConcurrency` places. */
  workedOffBy(worker: NodeFunction, { batchSize, maxConcurrency, crashing }: WorkerLimits): void {
    worker.lambda.addEventSource(
      new SqsEventSource(this.queue, { batchSize, maxConcurrency, reportBatchItemFailures: true }),
    );
    if (!crashing) return;
    // A message that fails is reported, not thrown: only crashes and timeouts count as errors.
    this.alarms.add(`${this.node.id}Crashing`, crashing, {
      metric: worker.lambda.metricErrors({ period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: 1,
    });
  }
}
