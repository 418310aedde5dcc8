import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { account, credentialsFor, region } from "../aws/access.ts";
import { createQueues } from "../aws/queues.ts";
import { type SqsServer, startSqs } from "../aws/sqs.ts";
import { queueUrl } from "../template/identity.ts";
import type { QueueSpec } from "../template/queues.ts";
import type { MappingSpec } from "../template/triggers.ts";
import type { Outcome } from "./execution-environment.ts";
import { startMapping } from "./mapping.ts";
import type { FunctionPool } from "./pool.ts";

const access = {
  region,
  credentials: credentialsFor({ dynamodb: undefined, sqs: undefined, s3: undefined }, {}),
};
let server: SqsServer;
let sqs: SQSClient;
const endings: (() => void)[] = [];

beforeAll(async () => {
  server = await startSqs();
  sqs = new SQSClient({ endpoint: server.url, ...access });
});
afterEach(() => {
  for (const end of endings.splice(0)) end();
});
afterAll(async () => {
  await server.stop();
  sqs.destroy();
});

let queueCount = 0;

/** A queue of its own for each test, with dead letters after two receives. */
async function queue(visibilitySeconds = 30): Promise<{ work: QueueSpec; dead: QueueSpec }> {
  queueCount += 1;
  const spec = (name: string, attributes: Record<string, string>): QueueSpec => ({
    name,
    arn: `arn:aws:sqs:${region}:${account}:${name}`,
    url: queueUrl(server.url, account, name),
    visibilitySeconds,
    attributes,
  });
  const dead = spec(`dead-${queueCount}`, {});
  const redrive = { deadLetterTargetArn: dead.arn, maxReceiveCount: 2 };
  const work = spec(`work-${queueCount}`, {
    VisibilityTimeout: String(visibilitySeconds),
    RedrivePolicy: JSON.stringify(redrive),
  });
  await createQueues(server.url, access, [work, dead]);
  return { work, dead };
}

type Event = {
  Records: {
    messageId: string;
    body: string;
    attributes: Record<string, string>;
    messageAttributes: object;
  }[];
};

/** Polls `work` into a function of this test, and keeps every batch it was given. */
function poll(work: QueueSpec, run: (event: Event) => unknown, changes: Partial<MappingSpec> = {}) {
  const batches: Event["Records"][] = [];
  const complaints: string[] = [];
  let running = 0;
  let most = 0;
  const pool: FunctionPool = {
    name: "worker",
    async invoke(event): Promise<Outcome> {
      const parsed: Event = JSON.parse(JSON.stringify(event));
      batches.push(parsed.Records);
      running += 1;
      most = Math.max(most, running);
      try {
        return { ok: true, result: JSON.stringify((await run(parsed)) ?? null) };
      } catch (error) {
        return { ok: false, error: { errorType: "Error", errorMessage: String(error) } };
      } finally {
        running -= 1;
      }
    },
    warm: async () => undefined,
    kill: async () => false,
    stop: async () => undefined,
    status: () => ({ name: "worker", threads: 0, busy: 0, inFlight: 0 }),
  };
  const mapping: MappingSpec = {
    queue: work,
    function: {
      name: "worker",
      physicalName: "worker",
      arn: "",
      modulePath: "",
      exportName: "",
      environment: {},
      timeoutMs: 1000,
      memoryMb: 128,
      reservedConcurrency: undefined,
    },
    batchSize: 10,
    windowSeconds: 0,
    reportsFailures: true,
    maxConcurrency: 2,
    ...changes,
  };
  endings.push(startMapping({ mapping, pool, sqs, region, print: (_source, line) => complaints.push(line) }));
  return { batches, complaints, bodies: () => batches.flat().map(({ body }) => body), most: () => most };
}

async function send(to: QueueSpec, ...bodies: string[]): Promise<void> {
  const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
  await sqs.send(new SendMessageBatchCommand({ QueueUrl: to.url, Entries }));
}

async function left({ url }: QueueSpec): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
  );
  return (
    Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible)
  );
}

const untilTrue = (check: () => boolean | Promise<boolean>, timeout = 5000) =>
  expect.poll(check, { interval: 20, timeout }).toBe(true);

describe("a batch", () => {
  test("reaches the function as Lambda would hand it over, and is deleted when it succeeds", async () => {
    const { work } = await queue();
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: work.url,
        MessageBody: "hello",
        MessageAttributes: { kind: { DataType: "String", StringValue: "x" } },
      }),
    );
    const { batches } = poll(work, () => ({ batchItemFailures: [] }));
    await untilTrue(() => batches.length === 1);
    expect(batches[0]).toEqual([
      {
        messageId: expect.any(String),
        receiptHandle: expect.any(String),
        body: "hello",
        attributes: expect.objectContaining({
          ApproximateReceiveCount: "1",
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
        }),
        messageAttributes: {
          kind: { stringValue: "x", dataType: "String", stringListValues: [], binaryListValues: [] },
        },
        md5OfBody: "5d41402abc4b2a76b9719d911017c592",
        md5OfMessageAttributes: expect.any(String),
        eventSource: "aws:sqs",
        eventSourceARN: work.arn,
        awsRegion: "us-east-1",
      },
    ]);
    await untilTrue(async () => (await left(work)) === 0);
  });

  test("keeps only its failed messages, which come again and end as dead letters", async () => {
    const { work, dead } = await queue(1);
    await send(work, "good", "poison");
    const { bodies } = poll(work, ({ Records }) => ({
      batchItemFailures: Records.filter(({ body }) => body === "poison").map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    }));
    await untilTrue(async () => (await left(dead)) === 1);
    expect(bodies().sort()).toEqual(["good", "poison", "poison"]);
    expect(await left(work)).toBe(0);
  });

  test("stays as a whole when the function fails or its answer makes no sense", async () => {
    const { work } = await queue();
    await send(work, "a", "b");
    const { batches } = poll(work, () => ({ batchItemFailures: [{ itemIdentifier: "unknown" }] }));
    await untilTrue(() => batches.flat().length === 2);
    await expect.poll(() => left(work)).toBe(2);
    const { work: other } = await queue();
    await send(other, "c");
    const thrown = poll(
      other,
      () => {
        throw new Error("broken");
      },
      { reportsFailures: false },
    );
    await untilTrue(() => thrown.batches.length === 1);
    expect(await left(other)).toBe(1);
  });

  test("is deleted as a whole when the function does not report failures one by one", async () => {
    const { work } = await queue();
    await send(work, "a", "b");
    poll(work, ({ Records }) => ({ batchItemFailures: [{ itemIdentifier: Records[0]?.messageId }] }), {
      reportsFailures: false,
    });
    await untilTrue(async () => (await left(work)) === 0);
  });

  test("may hold messages that the function has deleted itself", async () => {
    const { work } = await queue();
    await send(work, "a");
    const { batches } = poll(work, async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: work.url }));
      const Entries = Messages.map(({ ReceiptHandle }) => ({ Id: "0", ReceiptHandle }));
      if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: work.url, Entries }));
    });
    await untilTrue(() => batches.length === 1);
    await untilTrue(async () => (await left(work)) === 0);
  });
});

describe("concurrency", () => {
  test("spreads a few messages over the free slots", async () => {
    const { work } = await queue();
    await send(work, "a", "b", "c", "d");
    const { batches, bodies } = poll(work, () => new Promise((done) => setTimeout(done, 100)), {
      maxConcurrency: 4,
    });
    await untilTrue(() => bodies().length === 4);
    expect(batches.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
  });

  test("fills batches under backlog, and never runs more of them than allowed", async () => {
    const { work } = await queue();
    for (let round = 0; round < 4; round += 1) await send(work, ...Array<string>(10).fill("x"));
    const { batches, bodies, most } = poll(work, () => new Promise((done) => setTimeout(done, 50)));
    await untilTrue(() => bodies().length === 40);
    expect(most()).toBe(2);
    expect(batches.map(({ length }) => length)).toEqual([10, 10, 10, 10]);
    await untilTrue(async () => (await left(work)) === 0);
  });

  test("receives nothing that no slot is free for", async () => {
    const { work } = await queue();
    await send(work, "first");
    const gate = Promise.withResolvers<void>();
    const { batches, complaints } = poll(work, () => gate.promise, { maxConcurrency: 1, batchSize: 1 });
    await untilTrue(() => batches.length === 1);
    await send(work, "second");
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: work.url, VisibilityTimeout: 0 }),
    );
    expect(Messages.map(({ Body }) => Body)).toEqual(["second"]);
    gate.resolve();
    await untilTrue(() => batches.length === 2);
    expect(complaints).toEqual([]);
  });

  test("hands a message over within moments of its arrival", async () => {
    const { work } = await queue();
    const { bodies } = poll(work, () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const sent = performance.now();
    await send(work, "now");
    await untilTrue(() => bodies().length === 1);
    expect(performance.now() - sent).toBeLessThan(500);
  });

  test("waits for a fuller batch when a window is set", async () => {
    const { work } = await queue();
    const { batches } = poll(work, () => undefined, { windowSeconds: 1, batchSize: 3 });
    for (const body of ["a", "b", "c"]) await send(work, body);
    await untilTrue(() => batches.length > 0);
    expect(batches.map(({ length }) => length)).toEqual([3]);
  });
});
