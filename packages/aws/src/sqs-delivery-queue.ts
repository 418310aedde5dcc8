import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Lane } from "@plantain/core/webhook/endpoint";
import type { DeliveryQueue } from "@plantain/core/webhook/ports";

const longestDelaySeconds = 900;

/** The queues of both lanes. The tenant is the message group, so that none holds up the others. */
export function sqsDeliveryQueue(
  client: SQSClient,
  queueUrls: Readonly<Record<Lane, string>>,
): DeliveryQueue {
  return {
    async send({ id, tenant }, lane, delayMs) {
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrls[lane],
          MessageBody: JSON.stringify({ deliveryId: id, lane }),
          MessageGroupId: tenant,
          DelaySeconds: Math.min(longestDelaySeconds, Math.ceil(delayMs / 1000)),
        }),
      );
    },
  };
}
