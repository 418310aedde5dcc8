import { setTimeout as sleep } from "node:timers/promises";
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Print } from "../print.ts";
import type { MappingSpec } from "../template/triggers.ts";
import { succeeded } from "./batch-response.ts";
import type { FunctionPool } from "./pool.ts";
import { sqsEvent } from "./sqs-event.ts";

/** What SQS gives and takes in one request, and the longest it waits. */
const requestSize = 10;
const longestWaitSeconds = 20;

/**
 * Polls a queue and hands its messages to a function, as Lambda's event source mapping does.
 *
 * One poller serves all slots: it asks only for what free slots can take, so nothing is received that must wait, and
 * spreads what it gets over them, so a batch grows beyond one message only when there are more messages than slots.
 * It never gives up a poll under way, as the emulator then loses the next message until its visibility timeout.
 * @returns ends the polling once the poll under way is over; batches in flight go on
 */
export function startMapping({
  mapping,
  pool,
  sqs,
  region,
  print,
}: {
  mapping: MappingSpec;
  pool: FunctionPool;
  sqs: SQSClient;
  region: string;
  print: Print;
}): () => void {
  const { queue, batchSize, windowSeconds, maxConcurrency } = mapping;
  let stopped = false;
  let free = maxConcurrency;
  let freed = Promise.withResolvers<void>();

  const receive = async (count: number, waitSeconds: number) => {
    const asked = Math.min(requestSize, count);
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queue.url,
        MaxNumberOfMessages: asked,
        WaitTimeSeconds: waitSeconds,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
      }),
    );
    return { messages: Messages, mayBeMore: Messages.length === asked };
  };

  /** Waits for messages, then takes what more there is for free slots; with a window, until a batch is full or it closes. */
  const gather = async (): Promise<Message[]> => {
    // Counted anew each time: slots become free meanwhile.
    const wanted = () => (windowSeconds > 0 ? batchSize : batchSize * free);
    const { messages: gathered, ...first } = await receive(wanted(), longestWaitSeconds);
    const closes = Date.now() + windowSeconds * 1000;
    let more = first.mayBeMore || windowSeconds > 0;
    while (!stopped && gathered.length > 0 && gathered.length < wanted() && more) {
      const waitSeconds = Math.max(0, Math.ceil((closes - Date.now()) / 1000));
      const next = await receive(wanted() - gathered.length, Math.min(longestWaitSeconds, waitSeconds));
      gathered.push(...next.messages);
      more = next.mayBeMore || Date.now() < closes;
    }
    return gathered;
  };

  const remove = async (messages: readonly Message[]) => {
    for (let from = 0; from < messages.length; from += requestSize) {
      const { Failed = [] } = await sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl: queue.url,
          Entries: messages
            .slice(from, from + requestSize)
            .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
        }),
      );
      for (const { Message } of Failed)
        print(pool.name, `Cannot delete a message of "${queue.name}": ${Message}`);
    }
  };

  const run = async (messages: readonly Message[]) => {
    const outcome = await pool.invoke(sqsEvent(messages, { arn: queue.arn, region }));
    if (!outcome.ok) return; // they come again after the visibility timeout
    const ids = messages.flatMap(({ MessageId }) => MessageId ?? []);
    const done = mapping.reportsFailures ? succeeded(outcome.result, ids) : ids;
    await remove(messages.filter(({ MessageId }) => MessageId !== undefined && done.includes(MessageId)));
  };

  const occupySlot = async (messages: readonly Message[]) => {
    free -= 1;
    try {
      await run(messages);
    } catch (error) {
      if (!stopped) print("local", `Cannot finish a batch of "${queue.name}": ${String(error)}`);
    } finally {
      free += 1;
      freed.resolve();
    }
  };

  const poll = async () => {
    while (!stopped) {
      if (free === 0) {
        freed = Promise.withResolvers();
        await freed.promise;
        continue;
      }
      try {
        const messages = await gather();
        // With a window the template asks for full batches.
        const batches = spread(messages, windowSeconds > 0 ? 1 : free, batchSize);
        for (const batch of batches) void occupySlot(batch);
      } catch (error) {
        if (stopped) return;
        print("local", `Cannot receive from "${queue.name}", trying again: ${String(error)}`);
        await sleep(1000);
      }
    }
  };
  void poll();
  return () => {
    stopped = true;
  };
}

/** Shares messages out over at most `slots` batches of at most `batchSize`, as evenly as can be. */
function spread(messages: readonly Message[], slots: number, batchSize: number): Message[][] {
  const batches = Math.min(messages.length, Math.max(slots, Math.ceil(messages.length / batchSize)));
  const shared: Message[][] = Array.from({ length: batches }, () => []);
  for (const [index, message] of messages.entries()) shared[index % batches]?.push(message);
  return shared;
}
