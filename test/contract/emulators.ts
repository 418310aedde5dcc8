import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { jobsIndex, tableKey } from "@plantain/aws/table";
import { startDynamodb } from "@plantain/local/aws/dynamodb";
import { startSqs } from "@plantain/local/aws/sqs";
import { startS3 } from "@plantain/local/s3/server";

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const region = "us-east-1";

/** A real table of the deployed shape, on the embedded DynamoDB. */
export async function emulatedTable() {
  const server = await startDynamodb();
  const client = new DynamoDBClient({ endpoint: server.url, region, credentials });
  const { byTenant, byDue, byHeld, byEndpoint } = jobsIndex;
  await client.send(
    new CreateTableCommand({
      TableName: "jobs",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: tableKey.partition, AttributeType: "S" },
        { AttributeName: tableKey.sort, AttributeType: "S" },
        { AttributeName: byTenant.partition, AttributeType: "S" },
        { AttributeName: byTenant.sort, AttributeType: "S" },
        { AttributeName: byDue.partition, AttributeType: "S" },
        { AttributeName: byDue.sort, AttributeType: "N" },
        { AttributeName: byHeld.partition, AttributeType: "S" },
        { AttributeName: byEndpoint.partition, AttributeType: "S" },
        { AttributeName: byEndpoint.sort, AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: tableKey.partition, KeyType: "HASH" },
        { AttributeName: tableKey.sort, KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [byTenant, byDue, byHeld, byEndpoint].map(({ name, partition, sort }) => ({
        IndexName: name,
        KeySchema: [
          { AttributeName: partition, KeyType: "HASH" as const },
          { AttributeName: sort, KeyType: "RANGE" as const },
        ],
        Projection: { ProjectionType: "KEYS_ONLY" as const },
      })),
    }),
  );
  return {
    client: DynamoDBDocumentClient.from(client),
    name: "jobs",
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

export async function emulatedQueue() {
  const server = await startSqs();
  const client = new SQSClient({ endpoint: server.url, region, credentials });
  await client.send(new CreateQueueCommand({ QueueName: "jobs" }));
  return {
    client,
    // The emulator names its queues by a host that doesn't resolve everywhere; it only looks at the path
    url: `${server.url}/000000000000/jobs`,
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

export async function emulatedBucket() {
  const dir = await mkdtemp(join(tmpdir(), "plantain-contract-"));
  const server = await startS3({ dir, buckets: [{ name: "images", cors: [] }], credentials, region });
  const client = new S3Client({
    endpoint: server.url,
    region,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  return {
    client,
    name: "images",
    async stop() {
      client.destroy();
      await server.stop();
      await rm(dir, { recursive: true });
    },
  };
}
