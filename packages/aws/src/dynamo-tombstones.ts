import { randomUUID } from "node:crypto";
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import type { Jobs } from "@plantain/core/job/ports";
import { deleteIf, type Lost, putIf } from "./conditional-writes.ts";
import { jobKey, parseTombstone, sortKeys, tombstoneItem } from "./job-items.ts";
import { queryAll } from "./query-all.ts";

/** What is left of deleted jobs in DynamoDB: a tombstone where META was, so that no write of the job is taken any more. */
export function dynamoTombstones(
  client: DynamoDBDocumentClient,
  table: string,
): Pick<Jobs, "bury" | "loadTombstone" | "writeTombstone" | "eraseRecords"> {
  const follows = (version: number) => ({
    TableName: table,
    ConditionExpression: "version = :version",
    ExpressionAttributeValues: { ":version": version },
  });
  return {
    async bury(job, tombstone) {
      const writeId = randomUUID();
      return isWritten(
        await putIf(client, { ...follows(job.version), Item: tombstoneItem(tombstone, writeId) }),
        writeId,
      );
    },

    async loadTombstone(id) {
      const Key = { pk: jobKey(id), sk: sortKeys.meta };
      const { Item } = await client.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item ? parseTombstone(Item) : null;
    },

    async writeTombstone(from, to) {
      const writeId = randomUUID();
      const lost = to
        ? await putIf(client, { ...follows(from.version), Item: tombstoneItem(to, writeId) })
        : await deleteIf(client, {
            ...follows(from.version),
            Key: { pk: jobKey(from.id), sk: sortKeys.meta },
          });
      return isWritten(lost, writeId);
    },

    async eraseRecords(id) {
      const items = await queryAll(client, {
        TableName: table,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": jobKey(id) },
        ConsistentRead: true,
      });
      for (const { pk, sk } of items.filter((item) => item.sk !== sortKeys.meta))
        await client.send(new DeleteCommand({ TableName: table, Key: { pk, sk } }));
    },
  };
}

/** A write whose answer was lost meets its own traces when the SDK repeats it. */
function isWritten(lost: Lost | null, writeId: string): boolean {
  return lost === null || lost[0]?.writeId === writeId;
}
