import { setTimeout as sleep } from "node:timers/promises";
import { costOf, dollars } from "@plantain/core/model/pricing";
import type { System } from "@plantain/local/system";
import { seededRandom } from "@plantain/memory/clock";
import { sampleRegistry } from "@plantain/memory/samples";
import * as z from "zod";
import { type Client, clientOf, type Job, ledgerAt } from "../e2e/client.ts";
import { atRest } from "./at-rest.ts";

/** What a soak comes to. Every list of ids has to be empty but `paidAgain`, whose entries each name their dead attempt. */
export type SoakReport = {
  readonly jobs: number;
  readonly attempts: number;
  /** Worker threads that were killed, and attempts that ended with one. */
  readonly killed: number;
  readonly attemptsKilled: number;
  readonly bill: Bill;
  readonly seconds: number;
  /** Accepted jobs that are not there any more. */
  readonly lost: readonly string[];
  /** Accepted jobs that are not at their end. */
  readonly stuck: readonly string[];
  readonly failed: readonly string[];
  /** Jobs with more than one attempt that ended as their success. */
  readonly committedTwice: readonly string[];
  /** Of 500 succeeded jobs at most those whose image isn't there or isn't the one the job tells of. */
  readonly wrongImage: readonly string[];
  /** Calls that Google bills and whose attempt neither tells them nor says that it doesn't know. */
  readonly untold: readonly string[];
  /** Calls billed beyond one for each image, each with the fence of the attempt whose worker died over it. */
  readonly paidAgain: readonly { readonly job: string; readonly fence: number }[];
  /** Calls billed beyond one for each image that no dead attempt explains. */
  readonly unexplained: readonly string[];
  /** What is wrong by the tables, the bucket and the ledger alone. */
  readonly atRest: readonly string[];
};

/** What Google bills, in US dollars, and what the jobs tell of it. */
export type Bill = {
  readonly billedCalls: number;
  readonly images: number;
  readonly ledgerUsd: string;
  /** Σ `cost.usd` of all jobs. */
  readonly toldUsd: string;
  /** Ledger less told: no more than what the calls of unknown bill may cost. */
  readonly untoldUsd: string;
  readonly unknownCalls: number;
};

const Attempts = z.looseObject({
  data: z.array(
    z.looseObject({
      number: z.number(),
      outcome: z.string(),
      calls: z.array(z.looseObject({ billed: z.boolean().nullable(), cost_usd: z.string().nullable() })),
    }),
  ),
});
type Attempt = z.infer<typeof Attempts>["data"][number];

const submitAtOnce = 20;
const lookAtOnce = 20;
const waitAtOnce = 4;
/** What the simulator draws with the least effort. */
const cheap = { model: "gemini-3.1-flash-image", image_size: "512" };

/**
 * Runs jobs through a whole system while its worker threads are killed at random, as `kill -9` would, and holds what is
 * there at rest against the simulator's ledger.
 * @param killEveryMs mean time between two kills; what share of attempts that hits is in the report
 */
export async function soak(
  system: System,
  {
    jobs: count,
    killEveryMs,
    seed,
    withinMs,
  }: { jobs: number; killEveryMs: number; seed: number; withinMs: number },
): Promise<SoakReport> {
  const client = clientOf(system);
  const startedAt = Date.now();
  const killer = killWorkers(system, killEveryMs, seed);
  const ids = await inTurn(submitAtOnce, Array.from({ length: count }), (_, n) =>
    client
      .submit({ prompt: `Soak ${n}, [[sim:SLOW:200]]`, ...cheap, metadata: { n: String(n) } })
      .then(({ id }) => id),
  );
  await untilOver(client, ids, startedAt + withinMs);
  const killed = await killer.stop();
  const seconds = (Date.now() - startedAt) / 1000;
  await sleep(1_000); // a worker that lost its job may still be telling its bill

  const there = await inTurn(lookAtOnce, ids, (id) => client.read(id).catch(() => null));
  const numberOf = new Map(ids.map((id, n) => [id, n]));
  const lost = ids.filter((_, n) => !there[n]);
  const seen = await inTurn(
    lookAtOnce,
    there.flatMap((job) => job ?? []),
    async (job) => ({
      id: job.id,
      prompt: `Soak ${numberOf.get(job.id)},`,
      job,
      attempts: await attemptsOf(client, job.id),
    }),
  );
  const ledger = (await ledgerAt(system.gemini.url)).calls;
  const billed = billedByPrompt(ledger);
  const extra = seen.map((each) => ({ ...each, ...judge(each.attempts, billed.get(each.prompt) ?? 0) }));
  const idsWhere = (holds: (each: (typeof extra)[number]) => boolean) =>
    extra.filter(holds).map(({ id }) => id);
  const lookInto = Math.min(1, 500 / count);
  const some = extra.filter((_, at) => at % Math.ceil(1 / lookInto) === 0);
  const wrong = await inTurn(lookAtOnce, some, async ({ id, job }) =>
    (await hasItsImage(client, job)) ? [] : [id],
  );
  const pictureUrl = seen.flatMap(({ job }) => job.images[0]?.url ?? [])[0] ?? "";
  const left = { ...system.aws, pictureUrl, lookInto };
  return {
    jobs: count,
    attempts: seen.reduce((sum, { attempts }) => sum + attempts.length, 0),
    killed,
    attemptsKilled: seen
      .flatMap(({ attempts }) => attempts)
      .filter(({ outcome }) => outcome === "worker_lost").length,
    bill: sumUp(seen, ledger),
    seconds,
    lost,
    stuck: idsWhere(({ job }) => job.status === "queued" || job.status === "running"),
    failed: idsWhere(({ job }) => job.status === "failed"),
    committedTwice: idsWhere(
      ({ attempts }) => attempts.filter(({ outcome }) => outcome === "succeeded").length > 1,
    ),
    wrongImage: wrong.flat(),
    untold: idsWhere(({ isTold }) => !isTold),
    paidAgain: extra.flatMap(({ id, explained }) => explained.map((fence) => ({ job: id, fence }))),
    unexplained: idsWhere(({ surplus, explained }) => surplus > explained.length),
    atRest: await atRest(left, ledger),
  };
}

/** Σ of what the jobs tell against Σ of the ledger. */
function sumUp(
  seen: readonly { job: Job; attempts: readonly Attempt[] }[],
  ledger: readonly LedgerCall[],
): Bill {
  const billed = ledger.filter((call) => call.billed);
  const ledgerNano = billed.reduce((sum, call) => sum + costInLedger(call), 0);
  const toldNano = seen.reduce((sum, { job }) => sum + Math.round(Number(job.cost.usd) * nanodollars), 0);
  const calls = seen.flatMap(({ attempts }) => attempts).flatMap((attempt) => attempt.calls);
  return {
    billedCalls: billed.length,
    images: seen.reduce((sum, { job }) => sum + job.images.length, 0),
    ledgerUsd: dollars(ledgerNano),
    toldUsd: dollars(toldNano),
    untoldUsd: dollars(ledgerNano - toldNano),
    unknownCalls: calls.filter((call) => call.billed === null).length,
  };
}

type LedgerCall = { billed: boolean; [field: string]: unknown };

const CostTokens = z.object({
  inputText: z.number(),
  inputImage: z.number(),
  outputText: z.number(),
  outputImage: z.number(),
  thinking: z.number(),
});
const nanodollars = 1e9;

function costInLedger(call: LedgerCall): number {
  return costOf(sampleRegistry.choose(String(call.model)).model, CostTokens.parse(call.costTokens)) ?? 0;
}

/** Holds the attempts of one job against what Google billed for it. */
function judge(attempts: readonly Attempt[], billed: number) {
  const calls = attempts.flatMap((attempt) => attempt.calls);
  const known = calls.filter((call) => call.billed === true).length;
  const unknown = calls.filter((call) => call.billed === null).length;
  const surplus = Math.max(0, billed - 1);
  const dead = attempts.filter(({ outcome, calls: of }) => outcome === "worker_lost" && of.length > 0);
  return {
    isTold: known <= billed && billed <= known + unknown,
    surplus,
    explained: dead.slice(0, surplus).map(({ number }) => number),
  };
}

function killWorkers(system: System, everyMs: number, seed: number) {
  const random = seededRandom(seed);
  const stopped = new AbortController();
  const killing = (async () => {
    for (let killed = 0; ; ) {
      await sleep(everyMs * 2 * random.fraction(), undefined, { signal: stopped.signal }).catch(
        () => undefined,
      );
      if (stopped.signal.aborted) return killed;
      if (await system.killFunction("worker")) killed += 1;
    }
  })();
  return {
    stop() {
      stopped.abort();
      return killing;
    },
  };
}

/** Waits for each job in turn, so that ten thousand open ones aren't asked for again and again. */
async function untilOver(client: Client, ids: readonly string[], until: number): Promise<void> {
  await inTurn(waitAtOnce, ids, (id) => client.end(id, Math.max(0, until - Date.now())).catch(() => null));
}

async function attemptsOf(client: Client, id: string): Promise<readonly Attempt[]> {
  return Attempts.parse(await (await client.call("GET", `/v1/jobs/${id}/attempts`)).json()).data;
}

async function hasItsImage(client: Client, job: Job): Promise<boolean> {
  if (job.status !== "succeeded") return true;
  const { images } = await client.read(job.id); // with a URL that is still good
  const [image] = images;
  if (!image || images.length !== 1) return false;
  const response = await fetch(image.url);
  return response.ok && (await response.arrayBuffer()).byteLength === image.bytes;
}

function billedByPrompt(calls: readonly LedgerCall[]): Map<string, number> {
  const billed = new Map<string, number>();
  for (const call of calls) {
    const prompt = /^Soak \d+,/.exec(String(call.prompt))?.[0];
    if (call.billed && prompt) billed.set(prompt, (billed.get(prompt) ?? 0) + 1);
  }
  return billed;
}

/** Like `Promise.all` over `map`, but with so many under way at most. */
async function inTurn<T, R>(
  atOnce: number,
  items: readonly T[],
  run: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const runners = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (const [index, item] of rest) results[index] = await run(item, index);
  });
  await Promise.all(runners);
  return results;
}
