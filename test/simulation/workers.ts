import { isJobId } from "@plantain/core/id";
import { runAttempt, type WorkerPorts } from "@plantain/core/job/run-attempt";
import type { Context, SQSEvent } from "aws-lambda";
import * as z from "zod";
import { sqsBatch } from "../../functions/runtime/sqs-batch.ts";
import { newRun, type Run } from "./caller.ts";
import type { Dice } from "./dice.ts";
import type { Lambda } from "./lambda.ts";
import type { Process } from "./process.ts";
import type { Queue, Received } from "./queue.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

const JobMessage = z.object({ jobId: z.string().refine(isJobId, "Not a job id") });

export type WorkerLimits = {
  readonly batchSize: number;
  readonly maxConcurrency: number;
  readonly visibilityMs: number;
};

/** The ports of one run, and its message, each by way of the network. */
export type Equip = (run: Run, message: Received) => WorkerPorts & { delivered: Received["delivered"] };

/**
 * The event source mapping: polls the queue while a worker is free, hands batches to the real batch handler, and
 * deletes what it didn't hand back.
 */
export function workers(
  { timeline, trace, dice }: { timeline: Timeline; trace: Trace; dice: Dice },
  { batchSize, maxConcurrency, visibilityMs }: WorkerLimits,
  queue: Queue,
  lambda: Lambda,
  equip: Equip,
): { readonly running: number } {
  let isPolling = false;

  function pollSoon(): void {
    if (isPolling) return;
    isPolling = true;
    timeline.after(dice.between(5, 400), poll);
  }

  function poll(): void {
    isPolling = false;
    while (lambda.running < maxConcurrency) {
      const batch = queue.receive(dice.whole(1, batchSize), visibilityMs);
      if (batch.length === 0) break;
      invoke(batch);
    }
  }

  function invoke(batch: readonly Received[]): void {
    const failed = new Set<string>();
    lambda.invoke(
      async (process, leftMs) => {
        const response = await work(process, batch, leftMs);
        for (const { itemIdentifier } of response.batchItemFailures) failed.add(itemIdentifier);
      },
      (ended) => {
        if (ended === "returned") {
          timeline.after(dice.between(5, 200), () => {
            for (const message of batch) if (!failed.has(message.id)) void message.delivered.ack();
          });
        }
        pollSoon();
      },
    );
  }

  function work(process: Process, batch: readonly Received[], leftMs: () => number) {
    const handler = sqsBatch(
      JobMessage,
      async ({ jobId }, { messageId }) => {
        const message = batch.find(({ id }) => id === messageId);
        if (!message) throw new Error(`Cannot find message "${messageId}" in its batch`);
        const run = newRun(process, jobId);
        const { delivered, ...ports } = equip(run, message);
        const { ended, fence } = await runAttempt(ports, jobId, delivered, leftMs);
        trace.note(
          process.name,
          `${messageId} ${jobId} ended ${ended}${fence === undefined ? "" : ` at fence ${fence}`}`,
        );
      },
      {
        info: (message) => trace.note(process.name, message),
        warn: (message) => trace.note(process.name, message),
        error: (_message, { messageId = "", error } = {}) =>
          trace.note(
            process.name,
            `${messageId} handed back: ${error instanceof Error ? error.message : ""}`,
          ),
      },
    );
    const Records = batch.map(({ id, body }) => ({ messageId: id, body, receiptHandle: id }));
    return handler({ Records } as SQSEvent, { getRemainingTimeInMillis: leftMs } as Context);
  }

  queue.onVisible = pollSoon;
  return {
    get running() {
      return lambda.running;
    },
  };
}
