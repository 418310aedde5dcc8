import { createHash } from "node:crypto";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { parseAttempt, parseJob, sortKeys } from "@plantain/aws/job-items";
import { poolPrefix } from "@plantain/aws/table";
import type { Attempt } from "@plantain/core/job/attempt";
import { isFinished } from "@plantain/core/job/job";
import { Result } from "@plantain/core/job/outcome";
import * as z from "zod";
import { bucketOf, type Item, itemsIn, keysIn, storeAt } from "../e2e/stored.ts";

/** A pool's places as they are written: `<fence> <calls> <until in base 36> <key>`, by job. */
const Slots = z.record(z.string(), z.string());

type Billed = { readonly billed: boolean; readonly [field: string]: unknown };
export type Left = {
  readonly dynamodb: string;
  readonly s3: string;
  /** The URL of any stored picture, which names the bucket. */
  readonly pictureUrl: string;
  /** Share of the stored pictures that are read and hashed; the others have only to be there. */
  readonly lookInto: number;
};

/**
 * Everything that is wrong with what a system has left behind, by its tables, its bucket and Gemini's ledger alone.
 * Each line names its invariant. Prompts have to be unlike each other, since the ledger knows no jobs.
 */
export async function atRest(
  { dynamodb, s3, pictureUrl, lookInto }: Left,
  ledger: readonly Billed[],
): Promise<string[]> {
  const items = await itemsIn(dynamodb);
  const store = storeAt(s3);
  try {
    const bucket = bucketOf(pictureUrl);
    const keys = await keysIn(store, bucket);
    const jobs = Map.groupBy(items, ({ pk }) => String(pk));
    const billed = Map.groupBy(
      ledger.filter((call) => call.billed),
      (call) => String(call.prompt),
    );
    const wrong: string[] = [];
    for (const [pk, ofJob] of jobs) {
      if (pk.startsWith("JOB#")) wrong.push(...(await judgeJob(ofJob, billed, keys)));
      if (pk.startsWith(poolPrefix)) wrong.push(...ofJob.flatMap(leftIn));
    }
    const pictures = items
      .filter(({ sk }) => sk === sortKeys.result)
      .flatMap((item) => Result.parse(item).images);
    for (const [at, { key, sha256 }] of pictures.entries()) {
      if (at % Math.ceil(1 / lookInto) !== 0 || !keys.has(key)) continue;
      const { Body } = await store.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      const found = createHash("sha256")
        .update((await Body?.transformToByteArray()) ?? "")
        .digest("hex");
      if (found !== sha256) wrong.push(`I3: the bytes of ${key} aren't those that its job shows`);
    }
    for (const key of keys)
      if (key.startsWith("out/") && !keys.has(`${key.replace("out/", "meta/")}.json`))
        wrong.push(`I9: ${key} is stored without its outcome`);
    return wrong;
  } finally {
    store.destroy();
  }
}

async function judgeJob(
  items: readonly Item[],
  billed: ReadonlyMap<string, readonly Billed[]>,
  keys: ReadonlySet<string>,
): Promise<string[]> {
  const meta = items.find(({ sk }) => sk === sortKeys.meta);
  const request = items.find(({ sk }) => sk === sortKeys.request);
  if (!meta || !request) return [`I1: ${String(items[0]?.pk)} is not whole`];
  const job = parseJob(meta);
  if (!job) return [`I1: ${String(meta.pk)} was deleted, and nobody asked for that`];
  if (!isFinished(job)) return [`I1: ${job.id} is ${job.status}`];
  const wrong: string[] = "dueShard" in meta ? [`I1: ${job.id} is over and still due`] : [];
  const attempts = items
    .filter(({ sk }) => String(sk).startsWith(sortKeys.attempt))
    .flatMap((item) => parseAttempt(item) ?? []);
  if (attempts.length !== job.fence)
    wrong.push(`record: ${job.id} has ${attempts.length} of ${job.fence} attempts`);
  if (attempts.filter(({ ended }) => ended === "succeeded").length > 1)
    wrong.push(`I2: ${job.id} succeeded more than once`);
  const result = items.find(({ sk }) => sk === sortKeys.result);
  const images = result ? Result.parse(result).images : [];
  if (job.status === "succeeded" && images.length === 0)
    wrong.push(`I3: ${job.id} succeeded without an image`);
  for (const { key } of images) if (!keys.has(key)) wrong.push(`I3: ${key} is not stored`);
  const paid = billed.get(String(request.prompt))?.length ?? 0;
  const calls = attempts.flatMap((attempt) => attempt.calls);
  const known = calls.filter((call) => call.billed === "yes").length;
  const unknown = calls.filter((call) => call.billed === "unknown").length;
  if (paid < known || paid > known + unknown)
    wrong.push(
      `I6: ${job.id} was billed ${paid} times and tells of ${known}, and of ${unknown} that it can't tell`,
    );
  const rewarded = attempts
    .filter(({ ended }) => !withoutWorker.includes(ended))
    .flatMap((attempt) => attempt.calls)
    .filter((call) => call.billed === "yes" && call.failure === null)
    .map(({ index }) => index);
  if (new Set(rewarded).size < rewarded.length)
    wrong.push(`I6: ${job.id} paid again for an image though no worker had died over it`);
  return wrong;
}

/** Ends of attempts whose worker may have paid for what nobody has. */
const withoutWorker: readonly Attempt["ended"][] = ["worker_lost", "expired", "canceled"];

/** The longest that a place is kept in stage `test`, and then some. */
const longestPlaceMs = 60_000;

/** I10: a place that is left, since its owner died, runs out by itself. */
function leftIn({ slots, pk }: Item): string[] {
  const latest = Date.now() + longestPlaceMs;
  const ends = Object.values(Slots.parse(slots)).map((slot) => Number.parseInt(slot.split(" ")[2] ?? "", 36));
  return ends.every((until) => until < latest) ? [] : [`I10: ${String(pk)} keeps a place for too long`];
}
