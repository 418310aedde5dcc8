import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, expect, onTestFinished, test } from "vitest";
import type { TableSpec } from "../template/storage.ts";
import { credentialsFor, region } from "./access.ts";
import { startDynamodb } from "./dynamodb.ts";
import { createTables } from "./tables.ts";

const folder = mkdtempSync(join(tmpdir(), "plantain-tables-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "dynamodb.sqlite");
const access = {
  region,
  credentials: credentialsFor({ dynamodb: undefined, sqs: undefined, s3: undefined }, {}),
};

const table: TableSpec = {
  name: "Jobs",
  AttributeDefinitions: ["pk", "sk", "shard"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: "byDue",
      KeySchema: [{ AttributeName: "shard", KeyType: "HASH" }],
      Projection: { ProjectionType: "KEYS_ONLY", NonKeyAttributes: [] },
    },
  ],
  TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
};

async function server() {
  const started = await startDynamodb(file);
  const client = new DynamoDBClient({ endpoint: started.url, ...access });
  const stop = async () => {
    client.destroy();
    await started.stop();
  };
  onTestFinished(stop);
  return { client, url: started.url, stop };
}

test("tables get their indexes and expiry, and are kept with their items over a restart", async () => {
  const first = await server();
  await createTables(first.url, access, [table]);
  const { Table } = await first.client.send(new DescribeTableCommand({ TableName: "Jobs" }));
  expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)).toEqual(["byDue"]);
  const { TimeToLiveDescription } = await first.client.send(
    new DescribeTimeToLiveCommand({ TableName: "Jobs" }),
  );
  expect(TimeToLiveDescription).toMatchObject({ AttributeName: "expiresAt", TimeToLiveStatus: "ENABLED" });
  await first.client.send(
    new PutItemCommand({ TableName: "Jobs", Item: { pk: { S: "a" }, sk: { S: "b" } } }),
  );
  await first.stop();

  const second = await server();
  await createTables(second.url, access, [table]);
  expect((await second.client.send(new ScanCommand({ TableName: "Jobs" }))).Count).toBe(1);
});

test("a kept table with other indexes is refused together with the way out", async () => {
  const { url } = await server();
  await createTables(url, access, [table]);
  await expect(createTables(url, access, [{ ...table, GlobalSecondaryIndexes: [] }])).rejects.toThrow(
    'Cannot use table "Jobs": it has keys and indexes pk+sk, byDue(shard), the template has pk+sk; start with another --data folder',
  );
});
