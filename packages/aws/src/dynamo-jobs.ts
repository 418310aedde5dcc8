import { createHash, randomUUID } from "node:crypto";
import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { DomainError } from "@plantain/core/error";
import { isJobId, type JobId } from "@plantain/core/id";
import { isSettled } from "@plantain/core/job/attempt";
import type { Job, JobStatus } from "@plantain/core/job/job";
import { Result } from "@plantain/core/job/outcome";
import type { Jobs, Records, Written } from "@plantain/core/job/ports";
import { JobRequest } from "@plantain/core/job/request";
import * as z from "zod";
import { whileContended } from "./contention.ts";
import {
  attemptKey,
  createdKey,
  jobItem,
  jobKey,
  parseAttempt,
  parseJob,
  shardName,
  sortKeys,
} from "./job-items.ts";
import { jobsIndex } from "./table.ts";

type TransactItem = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];
type Item = Record<string, unknown>;

const IdempotencyItem = z.object({
  jobId: z.string().refine(isJobId),
  fingerprint: z.string(),
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
        put(table, jobItem(job, randomUUID()), "attribute_not_exists(pk)"),
        put(table, { pk: jobKey(job.id), sk: sortKeys.request, ...request }),
      ];
      if (idempotency) {
        items.push({
          Put: {
            TableName: table,
            Item: {
              ...idempotencyKey(job.tenant, idempotency.key),
              jobId: job.id,
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
      const { jobId, fingerprint } = IdempotencyItem.parse(holder);
      return { created: false, id: jobId, fingerprint };
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
      if (!meta) return null;
      const result = bySort.get(sortKeys.result);
      return {
        job: parseJob(meta),
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
      const { jobId, fingerprint, expiresAt } = IdempotencyItem.parse(item);
      return expiresAt * 1000 <= at ? null : { id: jobId, fingerprint };
    },

    async write(from, to, records = {}) {
      const writeId = randomUUID();
      const item = jobItem(to, writeId);
      const lost =
        records.attempt || records.result
          ? await transact(
              client,
              [followingPut(table, item, from), ...recordItems(table, to, records)],
              writeId,
            )
          : await putFollowing(client, table, item, from);
      return lost ? lostTo(lost[0], writeId) : { written: true };
    },

    async settle(id, fence, calls) {
      try {
        await client.send(
          new UpdateCommand({
            TableName: table,
            Key: { pk: jobKey(id), sk: attemptKey(fence) },
            UpdateExpression: "SET #calls = :calls, #settled = :settled",
            ConditionExpression: "attribute_not_exists(#settled) OR #settled = :no",
            ExpressionAttributeNames: { "#calls": "calls", "#settled": "settled" },
            ExpressionAttributeValues: { ":calls": calls, ":settled": isSettled(calls), ":no": false },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },

    async list({ tenant, status, cursor, limit }) {
      const jobs: Job[] = [];
      let after = cursor === null ? null : readCursor(cursor);
      for (let page = 0; page < mostPages; page += 1) {
        const found = await client.send(
          new QueryCommand({
            TableName: table,
            IndexName: jobsIndex.byTenant.name,
            KeyConditionExpression: "tenant = :tenant",
            ExpressionAttributeValues: { ":tenant": tenant },
            ScanIndexForward: false,
            Limit: status === null ? limit - jobs.length : pageSize,
            ...(after === null ? {} : { ExclusiveStartKey: startKey(tenant, after) }),
          }),
        );
        const keys = (found.Items ?? []).map((item) => String(item.createdKey));
        const loaded = await loadAll(client, table, keys.map(idOf));
        for (const key of keys) {
          after = key;
          const job = loaded.get(idOf(key));
          if (job && matches(job, status)) jobs.push(job);
          if (jobs.length === limit)
            return { jobs, next: key === keys.at(-1) && !found.LastEvaluatedKey ? null : cursorOf(key) };
        }
        if (!found.LastEvaluatedKey) return { jobs, next: null };
      }
      return { jobs, next: after === null ? null : cursorOf(after) };
    },

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
      return Items.map((item) => ({ id: idOfJobKey(String(item.pk)), dueAt: Number(item.dueAt) }));
    },
  };
}

/** Pages of a filtered list are looked through up to here before the answer says "go on from there". */
const mostPages = 10;
const pageSize = 100;

function put(table: string, item: Item, condition?: string): TransactItem {
  return { Put: { TableName: table, Item: item, ...(condition ? { ConditionExpression: condition } : {}) } };
}

const follows = "version = :version";

function followingPut(table: string, item: Item, from: Job): TransactItem {
  return {
    Put: {
      TableName: table,
      Item: item,
      ConditionExpression: follows,
      ExpressionAttributeValues: { ":version": from.version },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  };
}

/** `null` when written; else the item that was there instead, if any. */
async function putFollowing(
  client: DynamoDBDocumentClient,
  table: string,
  item: Item,
  from: Job,
): Promise<(Item | undefined)[] | null> {
  const command = new PutCommand({
    TableName: table,
    Item: item,
    ConditionExpression: follows,
    ExpressionAttributeValues: { ":version": from.version },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
  const isContention = (error: unknown) => error instanceof TransactionConflictException;
  try {
    await whileContended(isContention, () => client.send(command));
    return null;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return [error.Item ? unmarshall(error.Item) : undefined];
  }
}

/**
 * `null` when written; else, where a condition failed, the items that were there instead, by position.
 * @param token makes a repeated request count once for ten minutes
 */
async function transact(
  client: DynamoDBDocumentClient,
  items: TransactItem[],
  token: string,
): Promise<(Item | undefined)[] | null> {
  const command = new TransactWriteCommand({ TransactItems: items, ClientRequestToken: token });
  const reasonsOf = (error: unknown) =>
    error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
  const failedCheck = (error: unknown) =>
    reasonsOf(error).some(({ Code }) => Code === "ConditionalCheckFailed");
  const isContention = (error: unknown) =>
    !failedCheck(error) && reasonsOf(error).some(({ Code }) => Code === "TransactionConflict");
  try {
    await whileContended(isContention, () => client.send(command));
    return null;
  } catch (error) {
    if (!failedCheck(error)) throw error;
    return reasonsOf(error).map(({ Item }) => (Item ? unmarshall(Item) : undefined));
  }
}

/** A write whose answer was lost meets its own traces when the SDK repeats it: they carry its write id. */
function lostTo(item: Item | undefined, writeId: string): Written {
  if (!item) return { written: false, current: null };
  return item.writeId === writeId ? { written: true } : { written: false, current: parseJob(item) };
}

/** An attempt's bill is only set where nobody who knows better has told it; the rest of its line is the closer's. */
function recordItems(table: string, job: Job, { attempt, result }: Records): TransactItem[] {
  const items: TransactItem[] = [];
  if (result) items.push(put(table, { pk: jobKey(job.id), sk: sortKeys.result, ...result }));
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

async function queryAll(
  client: DynamoDBDocumentClient,
  query: ConstructorParameters<typeof QueryCommand>[0],
): Promise<Item[]> {
  const items: Item[] = [];
  let start: Item | undefined;
  do {
    const page = await client.send(
      new QueryCommand({ ...query, ...(start ? { ExclusiveStartKey: start } : {}) }),
    );
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start);
  return items;
}

async function loadAll(
  client: DynamoDBDocumentClient,
  table: string,
  ids: readonly JobId[],
): Promise<Map<JobId, Job>> {
  const jobs = new Map<JobId, Job>();
  let keys: Item[] = ids.map((id) => ({ pk: jobKey(id), sk: sortKeys.meta }));
  while (keys.length > 0) {
    const page = await client.send(new BatchGetCommand({ RequestItems: { [table]: { Keys: keys } } }));
    for (const job of (page.Responses?.[table] ?? []).map(parseJob)) jobs.set(job.id, job);
    keys = page.UnprocessedKeys?.[table]?.Keys ?? [];
  }
  return jobs;
}

function matches(job: Job, status: JobStatus | null): boolean {
  return status === null || job.status === status;
}

function idempotencyKey(tenant: string, key: string): { pk: string; sk: string } {
  return { pk: `IDEM#${tenant}#${createHash("sha256").update(key).digest("hex")}`, sk: "IDEM" };
}

function startKey(tenant: string, key: string): Item {
  return { pk: jobKey(idOf(key)), sk: sortKeys.meta, tenant, createdKey: key };
}

function cursorOf(key: string): string {
  return Buffer.from(key).toString("base64url");
}

function readCursor(cursor: string): string {
  const key = Buffer.from(cursor, "base64url").toString();
  const [createdAt = "", id = ""] = key.split("#");
  const isOurs =
    /^\d{15}$/.test(createdAt) && isJobId(id) && createdKey({ createdAt: Number(createdAt), id }) === key;
  if (isOurs) return key;
  throw new DomainError(
    "invalid_cursor",
    "This cursor is none that a list gave; use the `next_cursor` of a page",
    {
      field: "cursor",
    },
  );
}

function idOf(key: string): JobId {
  const id = key.slice(key.indexOf("#") + 1);
  if (!isJobId(id)) throw new Error(`Cannot read index entry: "${key}" names no job`);
  return id;
}

function idOfJobKey(pk: string): JobId {
  return idOf(pk);
}
