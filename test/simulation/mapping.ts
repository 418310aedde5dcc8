import type { SQSBatchResponse } from "aws-lambda";
import type { Dice } from "./dice.ts";
import type { Lambda } from "./lambda.ts";
import type { Process } from "./process.ts";
import type { Queue, Received } from "./queue.ts";
import type { Timeline } from "./timeline.ts";

export type MappingLimits = {
  readonly batchSize: number;
  readonly maxConcurrency: number;
  readonly visibilityMs: number;
};

/** One invocation with a batch; it answers which messages it hands back. */
export type Work = (
  process: Process,
  batch: readonly Received[],
  leftMs: () => number,
) => Promise<SQSBatchResponse>;

/** An event source mapping: polls the queue while the function has room, and deletes what isn't handed back. */
export function mapping(
  { timeline, dice }: { timeline: Timeline; dice: Dice },
  { batchSize, maxConcurrency, visibilityMs }: MappingLimits,
  queue: Queue,
  lambda: Lambda,
  work: Work,
): void {
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

  queue.onVisible = pollSoon;
}
