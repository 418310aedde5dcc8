import { ChangeMessageVisibilityCommand, DeleteMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Delivered } from "@plantain/core/job/ports";

/** A received message, by its receipt handle. */
export function sqsDelivered(client: SQSClient, queueUrl: string, receiptHandle: string): Delivered {
  return {
    async extend(ms) {
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: queueUrl,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: Math.ceil(ms / 1000),
        }),
      );
    },
    async ack() {
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));
    },
  };
}
