import { setTimeout as sleep } from "node:timers/promises";
import { BatchGetCommand, type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { DomainError } from "@plantain/core/error";
import { isJobId, type JobId } from "@plantain/core/id";
import type { Job, JobStatus } from "@plantain/core/job/job";
import type { JobPage, Jobs } from "@plantain/core/job/ports";
import type { Item } from "./conditional-writes.ts";
import { createdKey, idIn, jobKey, parseJob, sortKeys } from "./job-items.ts";
import { jobsIndex } from "./table.ts";

/** Pages of a filtered list are looked through up to here before the answer says "go on from there". */
const mostPages = 10;
const pageSize = 100;
const unprocessedWaitMs = 50;

/** One page of a tenant's jobs, newest first: keys from the index, the jobs themselves from the table. */
export async function listJobs(
  client: DynamoDBDocumentClient,
  table: string,
  { tenant, status, cursor, limit }: Parameters<Jobs["list"]>[0],
): Promise<JobPage> {
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
    const loaded = await loadAll(client, table, keys.map(idIn));
    for (const key of keys) {
      after = key;
      const job = loaded.get(idIn(key));
      if (job && matches(job, status)) jobs.push(job);
      if (jobs.length === limit)
        return { jobs, next: key === keys.at(-1) && !found.LastEvaluatedKey ? null : cursorOf(key) };
    }
    if (!found.LastEvaluatedKey) return { jobs, next: null };
  }
  return { jobs, next: after === null ? null : cursorOf(after) };
}

async function loadAll(
  client: DynamoDBDocumentClient,
  table: string,
  ids: readonly JobId[],
): Promise<Map<JobId, Job>> {
  const jobs = new Map<JobId, Job>();
  let keys: Item[] = ids.map((id) => ({ pk: jobKey(id), sk: sortKeys.meta }));
  while (keys.length > 0) {
    const page = await client.send(
      new BatchGetCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } }),
    );
    for (const item of page.Responses?.[table] ?? []) {
      const job = parseJob(item);
      if (job) jobs.set(job.id, job);
    }
    keys = page.UnprocessedKeys?.[table]?.Keys ?? [];
    if (keys.length > 0) await sleep(unprocessedWaitMs);
  }
  return jobs;
}

function matches(job: Job, status: JobStatus | null): boolean {
  return status === null || job.status === status;
}

function startKey(tenant: string, key: string): Item {
  return { pk: jobKey(idIn(key)), sk: sortKeys.meta, tenant, createdKey: key };
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
