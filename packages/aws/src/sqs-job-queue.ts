import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { JobQueue } from "@plantain/core/job/ports";

const longestDelaySeconds = 900;

/** The jobs queue. The tenant is the message group, which is what makes a standard queue fair between tenants. */
export function sqsJobQueue(client: SQSClient, queueUrl: string): JobQueue {
  return {
    async send({ id, tenant }, delayMs) {
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: JSON.stringify({ jobId: id }),
          MessageGroupId: tenant,
          DelaySeconds: Math.min(longestDelaySeconds, Math.ceil(delayMs / 1000)),
        }),
      );
    },
  };
}
