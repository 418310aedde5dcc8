import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import { DynamoDBDocumentClient, paginateScan } from "@aws-sdk/lib-dynamodb";

export type Item = Record<string, unknown>;

const access = {
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local-secret" },
} as const;

/** Every item of every table. */
export async function itemsIn(endpoint: string): Promise<Item[]> {
  const client = new DynamoDBClient({ endpoint, ...access });
  const documents = DynamoDBDocumentClient.from(client);
  try {
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    const items: Item[] = [];
    for (const TableName of TableNames) {
      for await (const { Items = [] } of paginateScan({ client: documents }, { TableName }))
        items.push(...Items);
    }
    return items;
  } finally {
    client.destroy();
  }
}

export function storeAt(endpoint: string): S3Client {
  return new S3Client({ endpoint, forcePathStyle: true, ...access });
}

/** The bucket that a signed URL leads to. */
export function bucketOf(signedUrl: string): string {
  const [, bucket = ""] = new URL(signedUrl).pathname.split("/");
  return bucket;
}

export async function keysIn(store: S3Client, Bucket: string): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const { Contents = [] } of paginateListObjectsV2({ client: store }, { Bucket }))
    for (const { Key } of Contents) if (Key !== undefined) keys.add(Key);
  return keys;
}
