import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";

const batchSize = 10;
const hiddenSeconds = 60;

/**
 * Moves messages from the dead letters back to their queue, each sent before it is deleted: one may be there twice for
 * a moment, which a job stands, but none is lost. Works on SQS and on emulators, which lack StartMessageMoveTask.
 * @returns how many were moved
 */
export async function redrive(client: SQSClient, from: string, to: string): Promise<number> {
  for (let moved = 0; ; ) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: from,
        MaxNumberOfMessages: batchSize,
        VisibilityTimeout: hiddenSeconds,
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ["MessageGroupId"],
      }),
    );
    if (Messages.length === 0) return moved;
    for (const message of Messages) await move(client, from, to, message);
    moved += Messages.length;
  }
}

async function move(client: SQSClient, from: string, to: string, message: Message): Promise<void> {
  const group = message.Attributes?.MessageGroupId;
  await client.send(
    new SendMessageCommand({
      QueueUrl: to,
      MessageBody: message.Body,
      ...(group === undefined ? {} : { MessageGroupId: group }),
    }),
  );
  await client.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle: message.ReceiptHandle }));
}
