import { setTimeout as sleep } from "node:timers/promises";
import type { System } from "@plantain/local/system";
import { type Client, type Job, ledgerAt } from "../e2e/client.ts";
import { atRest } from "./at-rest.ts";
import { Attempts, type Bill, billedBy, type Case, judgeBill, sumUp, type Unrewarded } from "./bill.ts";
import { type Heard, killWorkers } from "./killer.ts";
import { newTenants } from "./tenants.ts";

/** What a soak comes to. Every list has to be empty but `paidAgain` and `failedByKills`. */
export type SoakReport = {
  readonly jobs: number;
  readonly succeeded: number;
  readonly attempts: number;
  /** Worker threads that were killed, attempts that ended with one, and their share of all attempts. */
  readonly killed: number;
  readonly attemptsKilled: number;
  readonly killShare: number;
  /** The most attempts of one job. */
  readonly mostAttempts: number;
  readonly bill: Bill;
  /** Until the last job was accepted, and until the last was over. */
  readonly secondsToSubmit: number;
  readonly seconds: number;
  /** Accepted jobs that are not there any more. */
  readonly lost: readonly string[];
  /** Accepted jobs that are not at their end. */
  readonly stuck: readonly string[];
  /** Jobs that failed though their workers lived, or died no more often than a job has to bear. */
  readonly failed: readonly string[];
  /** Jobs that failed as they must, after one more killed attempt than the crash budget has, whatever others came to. */
  readonly failedByKills: readonly string[];
  /** Jobs with more than one attempt that ended as their success. */
  readonly committedTwice: readonly string[];
  /** Of 500 succeeded jobs at most those whose image isn't there or isn't the one the job tells of. */
  readonly wrongImage: readonly string[];
  /** Jobs whose attempts, or whose sum, tell another bill than the ledger, and don't say that they don't know. */
  readonly untold: readonly string[];
  /** Billed calls without a stored image, each by the fence whose worker died between bill and store. */
  readonly paidAgain: readonly Unrewarded[];
  /** Billed calls without a stored image that no dead worker explains, and images without one billed call. */
  readonly unexplained: readonly Unrewarded[];
  /** What is wrong by the tables, the bucket and the ledger alone. */
  readonly atRest: readonly string[];
};

/** The lists that have to be empty. */
export const broken = [
  "lost",
  "stuck",
  "failed",
  "committedTwice",
  "wrongImage",
  "untold",
  "unexplained",
  "atRest",
] as const satisfies readonly (keyof SoakReport)[];

const tenants = 4;
/** Few, for the API mustn't take the workers' share of two cores. */
const submitAtOnce = 10;
const lookAtOnce = 20;
const waitAtOnce = 4;
/** What the simulator draws with the least effort. */
const cheap = { model: "gemini-3.1-flash-image", image_size: "512" };
/** Ten thousand wait for each other for longer than the half hour that a job has by default. */
const deadlineSeconds = 14_400;
/** Half a second in the middle of which a worker can die. */
const slow = "[[sim:SLOW:500]]";
/** A worker that takes a job over an expired lease for the sixth time gives it up: `crashBudget` + 1. */
const killsThatFail = 6;

/**
 * Runs jobs through a whole system while its worker threads are killed in the middle of their work, as `kill -9` would,
 * and holds what is there at rest against the simulator's ledger.
 * @param heard what the system prints to
 * @param killShare of all attempts, between 0 and 1
 */
export async function soak(
  system: System,
  heard: Heard,
  {
    jobs: count,
    killShare,
    seed,
    withinMs,
  }: { jobs: number; killShare: number; seed: number; withinMs: number },
): Promise<SoakReport> {
  const clients = await newTenants(system, tenants);
  const startedAt = Date.now();
  const secondsSince = () => (Date.now() - startedAt) / 1000;
  const killer = killWorkers(system, heard, killShare, seed);
  const jobs = await inTurn(submitAtOnce, Array.from({ length: count }), async (_, n) => {
    const client = clients[n % tenants];
    if (!client) throw new Error(`Cannot submit job ${n}: there is no tenant for it`);
    const body = { prompt: promptOf(n), ...cheap, deadline_seconds: deadlineSeconds };
    return { n, client, id: (await client.submit(body)).id };
  });
  const secondsToSubmit = secondsSince();
  await untilOver(jobs, startedAt + withinMs);
  const killed = await killer.stop();
  const seconds = secondsSince();
  await sleep(1_000); // a worker that lost its job may still be telling its bill

  const ledger = (await ledgerAt(system.gemini.url)).calls;
  const billed = billedBy(ledger, keyOf);
  const there = await inTurn(lookAtOnce, jobs, async ({ n, client, id }) => {
    const job = await client.read(id).catch(() => null);
    if (!job) return null;
    const attempts = await attemptsOf(client, id);
    return { client, job, attempts, billed: billed.get(keyOf(promptOf(n)) ?? "") ?? [] };
  });
  const seen = there.flatMap((found) => found ?? []);
  const judged = seen.map(judgeBill);
  const killsOf = ({ attempts }: Case) => attempts.filter(({ outcome }) => outcome === "worker_lost").length;
  const idsWhere = (holds: (each: Case, index: number) => boolean) =>
    seen.filter(holds).map(({ job }) => job.id);
  const hasFailedByKills = (each: Case) =>
    each.job.status === "failed" && each.job.error?.code === "internal" && killsOf(each) === killsThatFail;
  const attempts = seen.reduce((sum, each) => sum + each.attempts.length, 0);
  const attemptsKilled = seen.reduce((sum, each) => sum + killsOf(each), 0);

  const lookInto = Math.min(1, 500 / count);
  const some = seen.filter((_, at) => at % Math.ceil(1 / lookInto) === 0);
  const wrong = await inTurn(lookAtOnce, some, async ({ client, job }) =>
    (await hasItsImage(client, job)) ? [] : [job.id],
  );
  const pictureUrl = seen.flatMap(({ job }) => job.images[0]?.url ?? [])[0] ?? "";
  return {
    jobs: count,
    succeeded: idsWhere(({ job }) => job.status === "succeeded").length,
    attempts,
    killed,
    attemptsKilled,
    killShare: Number((attemptsKilled / attempts).toFixed(4)),
    mostAttempts: Math.max(...seen.map((each) => each.attempts.length)),
    bill: sumUp(seen, judged, [...billed.values()].flat()),
    secondsToSubmit,
    seconds,
    lost: jobs.filter((_, at) => !there[at]).map(({ id }) => id),
    stuck: idsWhere(({ job }) => job.status === "queued" || job.status === "running"),
    failed: idsWhere((each) => each.job.status === "failed" && !hasFailedByKills(each)),
    failedByKills: idsWhere(hasFailedByKills),
    committedTwice: idsWhere(
      (each) => each.attempts.filter(({ outcome }) => outcome === "succeeded").length > 1,
    ),
    wrongImage: wrong.flat(),
    untold: idsWhere((_, at) => !judged[at]?.isTold),
    paidAgain: judged.flatMap(({ paidAgain }) => paidAgain),
    unexplained: judged.flatMap(({ unexplained }) => unexplained),
    atRest: await atRest({ ...system.aws, pictureUrl, lookInto }, ledger),
  };
}

function promptOf(n: number): string {
  return `Soak ${n}, ${slow}`;
}

/** What tells a job's prompt from another's. */
function keyOf(prompt: string): string | undefined {
  return /^Soak \d+,/.exec(prompt)?.[0];
}

/** Waits for each job in turn, so that ten thousand open ones aren't asked for again and again. */
async function untilOver(
  jobs: readonly { readonly client: Client; readonly id: string }[],
  until: number,
): Promise<void> {
  await inTurn(waitAtOnce, jobs, ({ client, id }) =>
    client.end(id, Math.max(0, until - Date.now())).catch(() => null),
  );
}

async function attemptsOf(client: Client, id: string): Promise<Case["attempts"]> {
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
