import { randomBytes } from "node:crypto";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { dynamoKeys } from "@plantain/aws/dynamo-keys";
import { issueKey, keyEntropyBytes } from "@plantain/core/tenant/key";
import type { System } from "@plantain/local/system";
import { type Client, clientOf } from "../e2e/client.ts";

/** Clients of so many new tenants. */
export async function newTenants({ url, aws }: System, count: number): Promise<Client[]> {
  const credentials = { accessKeyId: "local", secretAccessKey: "local-secret" };
  const client = new DynamoDBClient({ endpoint: aws.dynamodb, region: "us-east-1", credentials });
  try {
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    const table = TableNames.find((name) => name.includes("Tenants"));
    if (table === undefined) throw new Error(`Cannot find the tenants' table among ${TableNames.join(", ")}`);
    const keys = dynamoKeys(DynamoDBDocumentClient.from(client), table);
    return await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const about = { tenant: `soak-${n}`, scopes: ["jobs:read", "jobs:write"], at: Date.now() } as const;
        const { key, text } = issueKey(about, randomBytes(keyEntropyBytes));
        await keys.put(key);
        return clientOf({ url, apiKey: text });
      }),
    );
  } finally {
    client.destroy();
  }
}
