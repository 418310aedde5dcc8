import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { type ApiKey, scopes } from "@plantain/core/tenant/key";
import type { Keys } from "@plantain/core/tenant/ports";
import * as z from "zod";

const KeyItem = z.object({
  id: z.string(),
  sha256: z.string(),
  tenant: z.string(),
  scopes: z.array(z.enum(scopes)),
  createdAt: z.number(),
});

/** API keys in the Tenants table: one item per key, its address the hash of the key, so a look-up is one read. */
export function dynamoKeys(client: DynamoDBDocumentClient, table: string): Keys {
  return {
    async find(sha256) {
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: keyOf(sha256), ConsistentRead: true }),
      );
      return Item ? KeyItem.parse(Item) : null;
    },
    async put(key: ApiKey) {
      await client.send(
        new PutCommand({
          TableName: table,
          Item: { ...keyOf(key.sha256), ...key },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      );
    },
  };
}

function keyOf(sha256: string): { pk: string; sk: string } {
  return { pk: `KEY#${sha256}`, sk: "KEY" };
}
