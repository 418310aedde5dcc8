import { setTimeout as sleep } from "node:timers/promises";
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { failureClasses } from "@plantain/core/job/failure";
import type { System } from "@plantain/local/system";
import * as z from "zod";
import { clientOf, ledgerAt } from "../e2e/client.ts";

/** What came of jobs that were submitted into a storm. */
export type StormReport = {
  readonly jobs: number;
  readonly succeeded: number;
  /** By error code. */
  readonly failed: Readonly<Record<string, number>>;
  readonly attempts: number;
  readonly mostAttempts: number;
  /** Calls that met a 429 or 503, and all calls. */
  readonly refused: number;
  readonly calls: number;
  /** Codes of which a job spent more retries than it may. */
  readonly overspent: readonly string[];
  readonly deadLetters: number;
  readonly secondsAfterTheStorm: number;
};

const Attempts = z.looseObject({
  data: z.array(
    z.looseObject({ outcome: z.string(), failure: z.looseObject({ code: z.string() }).nullable() }),
  ),
});

/** For so long Gemini answers nothing but 429 (some asking for a wait) and 503, then all is well. */
export async function storm(
  system: System,
  { jobs: count, seconds, withinMs }: { jobs: number; seconds: number; withinMs: number },
): Promise<StormReport> {
  const client = clientOf(system);
  const weather = (rates: Record<string, number>) =>
    fetch(`${system.gemini.url}/__sim/profile`, { method: "POST", body: JSON.stringify({ seed: 1, rates }) });
  const set = await weather({
    "RATE_LIMIT:3s": 0.3,
    RATE_LIMIT_SHORT: 0.3,
    OVERLOADED: 0.2,
    UNAVAILABLE: 0.2,
  });
  if (!set.ok) throw new Error(`Cannot make a storm: ${set.status} ${await set.text()}`);
  const stormUntil = Date.now() + seconds * 1000;
  const ids = await Promise.all(
    Array.from({ length: count }, (_, n) => client.submit({ prompt: `Storm ${n}` }).then(({ id }) => id)),
  );
  await sleep(Math.max(0, stormUntil - Date.now()));
  await weather({});
  const over = Date.now();
  const ended = await Promise.all(ids.map((id) => client.end(id, withinMs)));
  const secondsAfterTheStorm = (Date.now() - over) / 1000;

  const lines = await Promise.all(
    ids.map(
      async (id) => Attempts.parse(await (await client.call("GET", `/v1/jobs/${id}/attempts`)).json()).data,
    ),
  );
  const failed: Record<string, number> = {};
  for (const { error } of ended) if (error) failed[error.code] = (failed[error.code] ?? 0) + 1;
  const { calls } = await ledgerAt(system.gemini.url);
  return {
    jobs: count,
    succeeded: ended.filter(({ status }) => status === "succeeded").length,
    failed,
    attempts: lines.flat().length,
    mostAttempts: Math.max(...lines.map((attempts) => attempts.length)),
    refused: calls.filter(({ status }) => status === 429 || status === 503).length,
    calls: calls.length,
    overspent: lines.flatMap(overspentIn),
    deadLetters: await deadLettersOf(system),
    secondsAfterTheStorm,
  };
}

function overspentIn(attempts: z.infer<typeof Attempts>["data"]): string[] {
  return Object.entries(failureClasses).flatMap(([code, { retries }]) => {
    const spent = attempts.filter(
      ({ outcome, failure }) => outcome === "retried" && failure?.code === code,
    ).length;
    return retries !== "until_deadline" && spent > retries ? [`${code}: ${spent}`] : [];
  });
}

/** Messages that were set aside, in all queues of dead letters. */
async function deadLettersOf({ aws }: System): Promise<number> {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = new SQSClient({ endpoint: aws.sqs, region: "us-east-1", credentials });
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
  const counts = await Promise.all(
    QueueUrls.filter((url) => url.includes("DeadLetters")).map(async (url) => {
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl: aws.sqs + new URL(url).pathname,
          AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        }),
      );
      return Object.values(Attributes ?? {}).reduce((sum, messages) => sum + Number(messages), 0);
    }),
  );
  client.destroy();
  return counts.reduce((sum, messages) => sum + messages, 0);
}
