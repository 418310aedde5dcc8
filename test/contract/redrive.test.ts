import { CreateQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { sqsJobQueue } from "@plantain/aws/sqs-job-queue";
import { redrive } from "@plantain/aws/sqs-redrive";
import { sampleJob } from "@plantain/memory/samples";
import { expect, it } from "vitest";
import { emulatedQueue } from "./emulators.ts";

it("redrive moves every dead letter back to its queue, once", async () => {
  const { client, url, stop } = await emulatedQueue();
  try {
    await client.send(new CreateQueueCommand({ QueueName: "dead" }));
    const dead = url.replace(/jobs$/, "dead");
    const jobs = Array.from({ length: 23 }, () => sampleJob());
    for (const job of jobs) await sqsJobQueue(client, dead).send(job, 0);
    expect(await redrive(client, dead, url)).toBe(23);
    expect(await redrive(client, dead, url)).toBe(0);
    const bodies: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 60 }),
      );
      bodies.push(...Messages.map(({ Body }) => Body ?? ""));
    }
    expect(bodies.toSorted()).toEqual(jobs.map(({ id }) => JSON.stringify({ jobId: id })).toSorted());
  } finally {
    await stop();
  }
});
