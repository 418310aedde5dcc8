import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { isPoolName, type PoolName } from "@plantain/core/capacity/held";
import { emptyPool, type Pool } from "@plantain/core/capacity/pool";
import type { Pools } from "@plantain/core/capacity/ports";
import { isJobId } from "@plantain/core/id";
import { FailureCodeRecord } from "@plantain/core/job/outcome";
import * as z from "zod";
import { putIf } from "./conditional-writes.ts";
import { poolPrefix } from "./table.ts";

const Time = z.number();

const Slot = z.object({
  fence: z.number().int(),
  calls: z.number().int(),
  until: Time,
  key: z.string(),
});

const PoolItem = z.object({
  name: z.string().refine(isPoolName),
  /** By job `<fence> <calls> <until in base 36> <place of the key in keys>`: a pool has hundreds of them. */
  slots: z.record(z.string().refine(isJobId), z.string()),
  keys: z.array(z.string()),
  waiting: z.record(z.string(), z.object({ since: Time, joinedAt: Time })),
  knockAt: Time,
  gates: z.record(
    z.string(),
    z.object({
      limit: z.number(),
      threshold: z.number(),
      closedUntil: Time,
      closedBy: FailureCodeRecord.nullable(),
      strikes: z.number().int(),
      tightenedAt: Time,
      usualMs: z.number().nullable(),
      recentMs: z.number().nullable(),
    }),
  ),
  version: z.number().int(),
});

/**
 * Pools in DynamoDB, each one item that is replaced as a whole if its version is still the one that was read. An item
 * takes about 50 bytes for each slot in use.
 */
export function dynamoPools(client: DynamoDBDocumentClient, table: string): Pools {
  return {
    async load(name) {
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: keyOf(name), ConsistentRead: true }),
      );
      return Item ? parsePool(Item) : emptyPool(name);
    },

    async write(from, to) {
      const lost = await putIf(client, {
        TableName: table,
        Item: { ...keyOf(to.name), ...itemOf(to) },
        ConditionExpression: from.version === 0 ? "attribute_not_exists(pk)" : "version = :version",
        ...(from.version === 0 ? {} : { ExpressionAttributeValues: { ":version": from.version } }),
      });
      if (!lost) return { written: true };
      return { written: false, current: lost[0] ? parsePool(lost[0]) : emptyPool(to.name) };
    },
  };
}

function keyOf(name: PoolName): { pk: string; sk: string } {
  return { pk: `${poolPrefix}${name}`, sk: "POOL" };
}

function itemOf(pool: Pool): z.infer<typeof PoolItem> {
  const slots = Object.entries(pool.slots).flatMap(([job, slot]) => (slot ? [{ job, ...slot }] : []));
  const keys = [...new Set(slots.map(({ key }) => key))];
  const written = slots.map(({ job, fence, calls, until, key }) => [
    job,
    [fence, calls, until.toString(36), keys.indexOf(key)].join(" "),
  ]);
  return { ...pool, slots: Object.fromEntries(written), keys };
}

function parsePool(item: Record<string, unknown>): Pool {
  const { slots, keys, ...pool } = PoolItem.parse(item);
  const read = Object.entries(slots).map(([job, text]) => {
    const [fence, calls, until = "", place] = text.split(" ");
    const slot = {
      fence: Number(fence),
      calls: Number(calls),
      until: Number.parseInt(until, 36),
      key: keys[Number(place)],
    };
    return [job, Slot.parse(slot)];
  });
  return { ...pool, slots: Object.fromEntries(read) };
}
