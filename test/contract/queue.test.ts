import { setTimeout as sleep } from "node:timers/promises";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { sqsDelivered } from "@plantain/aws/sqs-delivered";
import { sqsJobQueue } from "@plantain/aws/sqs-job-queue";
import type { JobId } from "@plantain/core/id";
import type { Delivered, JobQueue } from "@plantain/core/job/ports";
import { manualClock } from "@plantain/memory/clock";
import { memoryQueue } from "@plantain/memory/queue";
import { sampleJob } from "@plantain/memory/samples";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { emulatedQueue } from "./emulators.ts";

type Driven = {
  queue: JobQueue;
  receive(hiddenMs: number): Promise<{ jobId: string; message: Delivered } | null>;
  pass(ms: number): Promise<unknown>;
  stop(): Promise<void>;
};

const Body = z.object({ jobId: z.templateLiteral(["job_", z.string()]) });

/** What every implementation of the `JobQueue` and `Delivered` ports does. */
function queueContract(name: string, start: () => Promise<Driven>) {
  describe(`JobQueue, ${name}`, () => {
    let driven: Driven;
    const job: { id: JobId; tenant: string } = sampleJob();
    beforeAll(async () => {
      driven = await start();
    });
    afterAll(() => driven.stop());

    it("brings a job's name to one receiver, and never again once acknowledged", async () => {
      await driven.queue.send(job, 0);
      const received = await driven.receive(1_000);
      expect(received?.jobId).toBe(job.id);
      expect(await driven.receive(1_000)).toBeNull();
      await received?.message.ack();
      await driven.pass(1_100);
      expect(await driven.receive(1_000)).toBeNull();
    });

    it("brings it again when it was not acknowledged in time, unless that was extended", async () => {
      await driven.queue.send(job, 0);
      await driven.receive(1_000);
      await driven.pass(1_100);
      const again = await driven.receive(1_000);
      expect(again?.jobId).toBe(job.id);
      await again?.message.extend(2_000);
      await driven.pass(1_100);
      expect(await driven.receive(1_000)).toBeNull();
      await again?.message.ack();
    });

    it("holds a message back for as long as it is told", async () => {
      await driven.queue.send(job, 1_000);
      expect(await driven.receive(1_000)).toBeNull();
      await driven.pass(1_200);
      const received = await driven.receive(1_000);
      expect(received?.jobId).toBe(job.id);
      await received?.message.ack();
    });
  });
}

queueContract("in memory", async () => {
  const clock = manualClock();
  const queue = memoryQueue(clock);
  return {
    queue,
    receive: async (hiddenMs) => queue.receive(hiddenMs),
    pass: (ms) => clock.advance(ms),
    stop: async () => undefined,
  };
});

queueContract("on SQS", async () => {
  const { client, url, stop } = await emulatedQueue();
  return {
    queue: sqsJobQueue(client, url),
    async receive(hiddenMs) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: url, VisibilityTimeout: hiddenMs / 1000, WaitTimeSeconds: 0 }),
      );
      const { Body: body, ReceiptHandle: handle } = Messages[0] ?? {};
      if (body === undefined || handle === undefined) return null;
      return { jobId: Body.parse(JSON.parse(body)).jobId, message: sqsDelivered(client, url, handle) };
    },
    pass: sleep,
    stop,
  };
});
