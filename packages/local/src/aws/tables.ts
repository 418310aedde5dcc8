import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import type { TableSpec } from "../template/storage.ts";
import type { Access } from "./access.ts";

/**
 * Creates the tables that are not there, with their indexes and expiry.
 * Throws when a table is there with other keys or indexes, as one kept from an older version may be.
 */
export async function createTables(
  endpoint: string,
  access: Access,
  tables: readonly TableSpec[],
): Promise<void> {
  const client = new DynamoDBClient({ endpoint, ...access });
  try {
    await Promise.all(tables.map((table) => createTable(client, table)));
  } finally {
    client.destroy();
  }
}

async function createTable(client: DynamoDBClient, table: TableSpec): Promise<void> {
  const existing = await describe(client, table.name);
  if (existing !== undefined) return requireSameKeys(table, existing);
  const indexes = table.GlobalSecondaryIndexes.map(indexOf);
  await client.send(
    new CreateTableCommand({
      TableName: table.name,
      AttributeDefinitions: table.AttributeDefinitions,
      KeySchema: table.KeySchema,
      BillingMode: "PAY_PER_REQUEST",
      ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes }),
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName: table.name });
  if (table.TimeToLiveSpecification === undefined) return;
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: table.name,
      TimeToLiveSpecification: table.TimeToLiveSpecification,
    }),
  );
}

async function describe(client: DynamoDBClient, name: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

type IndexSpec = TableSpec["GlobalSecondaryIndexes"][number];

function indexOf({ IndexName, KeySchema, Projection }: IndexSpec): GlobalSecondaryIndex {
  const { ProjectionType, NonKeyAttributes } = Projection;
  return {
    IndexName,
    KeySchema,
    Projection: { ProjectionType, ...(NonKeyAttributes.length > 0 && { NonKeyAttributes }) },
  };
}

function requireSameKeys(table: TableSpec, existing: TableDescription): void {
  const wanted = shape(table.KeySchema, table.GlobalSecondaryIndexes);
  const found = shape(existing.KeySchema ?? [], existing.GlobalSecondaryIndexes ?? []);
  if (wanted === found) return;
  throw new Error(
    `Cannot use table "${table.name}": it has keys and indexes ${found}, the template has ${wanted}; start with another --data folder`,
  );
}

type Index = { IndexName?: string | undefined; KeySchema?: KeySchemaElement[] | undefined };

function shape(key: readonly KeySchemaElement[], indexes: readonly Index[]): string {
  const names = (schema: readonly KeySchemaElement[]) =>
    schema.map(({ AttributeName }) => AttributeName).join("+");
  const described = indexes.map(({ IndexName, KeySchema = [] }) => `${IndexName}(${names(KeySchema)})`);
  return [names(key), ...described.sort()].join(", ");
}
