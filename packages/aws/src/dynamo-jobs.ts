import { createHash, randomUUID } from "node:crypto";
import { type DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { isSettled, mergeCalls } from "@plantain/core/job/attempt";
import type { Job } from "@plantain/core/job/job";
import { Result } from "@plantain/core/job/outcome";
import type { Jobs, KeyedJob, Records, Written } from "@plantain/core/job/ports";
import { JobRequest, WorkedOut } from "@plantain/core/job/request";
import * as z from "zod";
import { type Item, putIf, type TransactItem, transact, updateIf } from "./conditional-writes.ts";
import { announcementItems } from "./delivery-items.ts";
import { dynamoTombstones } from "./dynamo-tombstones.ts";
import {
  attemptKey,
  heldKey,
  idIn,
  jobItem,
  jobKey,
  parseAttempt,
  parseCalls,
  parseJob,
  QueuedJobItem,
  shardName,
  sortKeys,
} from "./job-items.ts";
import { listJobs } from "./job-list.ts";
import { queryAll } from "./query-all.ts";
import { jobsIndex } from "./table.ts";

const IdempotencyItem = z.object({
  fingerprint: z.string(),
  defaultModel: z.string(),
  /** As they were created: a repeated submission is answered with them, also when the job itself is gone. */
  job: QueuedJobItem,
  workedOut: WorkedOut,
  /** Epoch seconds, as DynamoDB's TTL wants them; expired items may linger for days. */
  expiresAt: z.number(),
});

/** Jobs in DynamoDB: every change is one conditional write or transaction on the version that it follows. */
export function dynamoJobs(client: DynamoDBDocumentClient, table: string): Jobs {
  const get = async (pk: string, sk: string) =>
    (await client.send(new GetCommand({ TableName: table, Key: { pk, sk }, ConsistentRead: true }))).Item;

  return {
    async create(job, request, idempotency, at) {
      const items: TransactItem[] = [
        {
          Put: {
            TableName: table,
            Item: jobItem(job, randomUUID()),
            ConditionExpression: "attribute_not_exists(pk)",
          },
        },
        { Put: { TableName: table, Item: { pk: jobKey(job.id), sk: sortKeys.request, ...request } } },
      ];
      if (idempotency) {
        items.push({
          Put: {
            TableName: table,
            Item: {
              ...idempotencyKey(job.tenant, idempotency.key),
              job,
              workedOut: idempotency.workedOut,
              defaultModel: idempotency.defaultModel,
              fingerprint: idempotency.fingerprint,
              expiresAt: Math.ceil(idempotency.expiresAt / 1000),
            },
            ConditionExpression: "attribute_not_exists(pk) OR expiresAt <= :now",
            ExpressionAttributeValues: { ":now": at / 1000 },
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          },
        });
      }
      const lost = await transact(client, items, randomUUID());
      if (!lost) return { created: true };
      const holder = lost[2];
      if (!holder) throw new Error(`Cannot create job "${job.id}": its id is taken`);
      return { created: false, holder: keyed(IdempotencyItem.parse(holder)) };
    },

    async load(id) {
      const item = await get(jobKey(id), sortKeys.meta);
      return item ? parseJob(item) : null;
    },

    async read(id) {
      const items = await queryAll(client, {
        TableName: table,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": jobKey(id) },
        ConsistentRead: true,
      });
      const bySort = new Map(items.map((item) => [String(item.sk), item]));
      const meta = bySort.get(sortKeys.meta);
      const job = meta ? parseJob(meta) : null;
      if (!job) return null;
      const result = bySort.get(sortKeys.result);
      return {
        job,
        request: JobRequest.parse(bySort.get(sortKeys.request)),
        result: result ? Result.parse(result) : null,
        attempts: items
          .filter((item) => String(item.sk).startsWith(sortKeys.attempt))
          .flatMap((item) => parseAttempt(item) ?? []),
      };
    },

    async findByKey(tenant, key, at) {
      const { pk, sk } = idempotencyKey(tenant, key);
      const item = await get(pk, sk);
      if (!item) return null;
      const held = IdempotencyItem.parse(item);
      return held.expiresAt * 1000 <= at ? null : keyed(held);
    },

    async write(from, to, records = {}) {
      const writeId = randomUUID();
      const item = jobItem(to, writeId);
      const put = {
        TableName: table,
        Item: item,
        ConditionExpression: "version = :version",
        ExpressionAttributeValues: { ":version": from.version },
      };
      const also = recordItems(table, to, records);
      const lost =
        also.length === 0
          ? await putIf(client, put)
          : await transact(
              client,
              [{ Put: { ...put, ReturnValuesOnConditionCheckFailure: "ALL_OLD" } }, ...also],
              writeId,
            );
      return lost ? lostTo(lost[0], writeId) : { written: true };
    },

    async settle(id, fence, calls) {
      for (let there: unknown; ; ) {
        const told = mergeCalls(parseCalls(there ?? []), calls);
        const lost = await updateIf(client, {
          TableName: table,
          Key: { pk: jobKey(id), sk: attemptKey(fence) },
          UpdateExpression: "SET #calls = :calls, #settled = :settled",
          ConditionExpression: there === undefined ? "attribute_not_exists(#calls)" : "#calls = :there",
          ExpressionAttributeNames: { "#calls": "calls", "#settled": "settled" },
          ExpressionAttributeValues: {
            ":calls": told,
            ":settled": isSettled(told),
            ...(there === undefined ? {} : { ":there": there }),
          },
        });
        if (!lost) return;
        there = lost[0]?.calls;
      }
    },

    list: (query) => listJobs(client, table, query),

    async due(shard, at, limit) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: jobsIndex.byDue.name,
          KeyConditionExpression: "dueShard = :shard AND dueAt <= :at",
          ExpressionAttributeValues: { ":shard": shardName(shard), ":at": at },
          Limit: limit,
        }),
      );
      return Items.map((item) => ({ id: idIn(String(item.pk)), dueAt: Number(item.dueAt) }));
    },

    async held(by, tenant, limit) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: jobsIndex.byHeld.name,
          KeyConditionExpression: "heldKey = :held",
          ExpressionAttributeValues: { ":held": heldKey(by, tenant) },
          Limit: limit,
        }),
      );
      return Items.map((item) => idIn(String(item.pk)));
    },

    ...dynamoTombstones(client, table),
  };
}

/** A write whose answer was lost meets its own traces when the SDK repeats it: they carry its write id. */
function lostTo(item: Item | undefined, writeId: string): Written {
  if (!item) return { written: false, current: null };
  return item.writeId === writeId ? { written: true } : { written: false, current: parseJob(item) };
}

/** An attempt's bill is only set where nobody who knows better has told it; the rest of its line is the closer's. */
function recordItems(table: string, job: Job, { attempt, result, announcement }: Records): TransactItem[] {
  const items: TransactItem[] = announcement ? announcementItems(table, announcement) : [];
  if (result) {
    items.push({ Put: { TableName: table, Item: { pk: jobKey(job.id), sk: sortKeys.result, ...result } } });
  }
  if (attempt) {
    const settled = isSettled(attempt.calls);
    const { calls, ...line } = attempt;
    const names = Object.keys(line);
    const bill = settled
      ? "#calls = :calls, #settled = :settled"
      : "#calls = if_not_exists(#calls, :calls), #settled = if_not_exists(#settled, :settled)";
    items.push({
      Update: {
        TableName: table,
        Key: { pk: jobKey(job.id), sk: attemptKey(attempt.fence) },
        UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(", ")}, ${bill}`,
        ExpressionAttributeNames: Object.fromEntries(
          [...names, "calls", "settled"].map((name) => [`#${name}`, name]),
        ),
        ExpressionAttributeValues: {
          ...Object.fromEntries(Object.entries(line).map(([name, value]) => [`:${name}`, value])),
          ":calls": calls,
          ":settled": settled,
        },
      },
    });
  }
  return items;
}

function keyed(item: z.infer<typeof IdempotencyItem>): KeyedJob {
  const { expiresAt: _, ...held } = item;
  return held;
}

function idempotencyKey(tenant: string, key: string): { pk: string; sk: string } {
  return { pk: `IDEM#${tenant}#${createHash("sha256").update(key).digest("hex")}`, sk: "IDEM" };
}
