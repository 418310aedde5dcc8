import { CreateQueueCommand, SetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { QueueSpec } from "../template/queues.ts";
import type { Access } from "./access.ts";

/** Creates the queues that are not there and gives all of them the template's attributes, dead letters included. */
export async function createQueues(
  endpoint: string,
  access: Access,
  queues: readonly QueueSpec[],
): Promise<void> {
  const client = new SQSClient({ endpoint, ...access });
  try {
    // Attributes come second: a redrive policy may name a queue that is created later.
    for (const { name, attributes } of queues) {
      const fixed = attributes.FifoQueue === undefined ? {} : { Attributes: { FifoQueue: "true" } };
      await client.send(new CreateQueueCommand({ QueueName: name, ...fixed }));
    }
    for (const { url, attributes } of queues) {
      const { FifoQueue: _, ...Attributes } = attributes;
      await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes }));
    }
  } finally {
    client.destroy();
  }
}
