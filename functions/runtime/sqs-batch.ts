import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type * as z from "zod";
import type { Log } from "./log.ts";

/**
 * Runs each record of a batch by itself and hands only those back to SQS that ended in something nobody expected;
 * five such ends make a dead letter, and an alarm.
 */
export function sqsBatch<T>(
  schema: z.ZodType<T>,
  run: (message: T, record: SQSRecord, context: Context) => Promise<void>,
  log: Log,
) {
  return async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const failures = await Promise.all(
      Records.map(async (record) => {
        try {
          await run(schema.parse(JSON.parse(record.body)), record, context);
          return [];
        } catch (error) {
          log.error("Cannot process message", { messageId: record.messageId, error });
          return [{ itemIdentifier: record.messageId }];
        }
      }),
    );
    return { batchItemFailures: failures.flat() };
  };
}
