import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import type * as z from "zod";
import { sqsBatch } from "../../functions/runtime/sqs-batch.ts";
import type { Process } from "./process.ts";
import type { Received } from "./queue.ts";
import type { Trace } from "./trace.ts";

/** Hands a batch to the real batch handler, which runs each message by itself. */
export function runBatch<T>(
  { process, trace }: { process: Process; trace: Trace },
  batch: readonly Received[],
  leftMs: () => number,
  schema: z.ZodType<T>,
  run: (body: T, message: Received) => Promise<void>,
): Promise<SQSBatchResponse> {
  const handler = sqsBatch(
    schema,
    async (body, { messageId }) => {
      const message = batch.find(({ id }) => id === messageId);
      if (!message) throw new Error(`Cannot find message "${messageId}" in its batch`);
      await run(body, message);
    },
    {
      info: (text) => trace.note(process.name, text),
      warn: (text) => trace.note(process.name, text),
      error: (_text, { messageId = "", error } = {}) =>
        trace.note(process.name, `${messageId} handed back: ${error instanceof Error ? error.message : ""}`),
    },
  );
  const Records = batch.map(({ id, body }) => ({ messageId: id, body, receiptHandle: id }));
  return handler({ Records } as SQSEvent, { getRemainingTimeInMillis: leftMs } as Context);
}
