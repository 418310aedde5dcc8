import type { Limits } from "@plantain/core/capacity/limits";
import type { Pools } from "@plantain/core/capacity/ports";
import { type MemoryBudget, memoryBudget } from "@plantain/core/job/memory-budget";
import type { Objects } from "@plantain/core/job/ports";
import { sweep } from "@plantain/core/job/sweep";
import { sweepDeliveries } from "@plantain/core/webhook/sweep-deliveries";
import { memoryJobs } from "@plantain/memory/jobs";
import { api } from "./api.ts";
import { bucket } from "./bucket.ts";
import { deliverers } from "./deliverers.ts";
import { type Dice, dice as seededDice } from "./dice.ts";
import { equip } from "./equip.ts";
import { type Faults, faults as seededFaults } from "./faults.ts";
import { gemini } from "./gemini.ts";
import { lambda } from "./lambda.ts";
import { network as simulatedNetwork } from "./network.ts";
import { owners as moodyOwners } from "./owners.ts";
import { pools as simulatedPools } from "./pools.ts";
import type { Process } from "./process.ts";
import type { Profile } from "./profile.ts";
import { type Queue, queue as simulatedQueue } from "./queue.ts";
import { type Downtime, type Receivers, receivers as simulatedReceivers } from "./receivers.ts";
import { schedule } from "./schedule.ts";
import { table as simulatedTable, type Table } from "./table.ts";
import { names, tenants } from "./tenants.ts";
import { timeline as simulatedTime, type Timeline } from "./timeline.ts";
import { trace as seededTrace, type Trace } from "./trace.ts";
import { addTroubles } from "./troubles.ts";
import { answering, web as simulatedWeb } from "./web.ts";
import { ownUrl, webhooks as tenantsWebhooks, type Webhooks } from "./webhooks.ts";
import { listening } from "./witness/webhooks.ts";
import { witness as attentive, lastPurge, type Witness } from "./witness/witness.ts";
import { workers } from "./workers.ts";

/** The whole system with its users, ready to go. */
export type World = {
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly faults: Faults;
  readonly witness: Witness;
  readonly table: Table;
  readonly pools: Pools;
  readonly queue: Queue;
  readonly objects: Objects;
  readonly webhooks: Webhooks;
  readonly receivers: Receivers;
  /** A run that is still busy after so many milliseconds is stuck. */
  readonly longestMs: number;
  /** Whether all that was asked for is done, and nothing is under way any more. */
  isAtRest(): boolean;
};

export const start = Date.UTC(2026, 10, 1);

const visibilityMs = 6 * 330_000;
const hour = 3_600_000;

/** Builds the world of one seed. Everything in it draws from the seed, so that nothing else decides what happens. */
export function world(seed: number, profile: Profile, print: ((line: string) => void) | null): World {
  const timeline = simulatedTime(start);
  const trace = seededTrace(timeline, start, print);
  const dice = seededDice(seed);
  const ground = () => ({ timeline, trace, dice: dice.fork() });
  const { skewMs } = profile;

  const isLong = dice.chance(profile.longDowntimes);
  const faultsEnd = isLong ? dice.between(6 * hour, 9 * hour) : dice.between(600_000, 2_400_000);
  const faults = seededFaults(dice.fork(), profile, start + faultsEnd);
  const network = simulatedNetwork({ ...ground(), faults });
  const webhooks = tenantsWebhooks({ timeline, dice: dice.fork() }, profile, names);
  const truth = memoryJobs(webhooks.deliveries);
  const limits: Limits = {
    jobsPerTenant: dice.pick(profile.jobsPerTenant),
    callsPerModel: dice.pick(profile.callsPerModel),
    longestClosureMs: 900_000,
    providerKeys: dice.chance(0.7) ? ["first"] : ["first", "second"],
  };
  const witness = attentive(timeline, trace, truth, {
    skewMs,
    limits,
    sickUntil: (id) => sickUntil(faults, id),
  });
  const pools = simulatedPools(witness, limits);
  const table = simulatedTable({ timeline, dice: dice.fork() }, profile.lateIndex, witness, truth);
  const objects = bucket(witness);
  const queue = simulatedQueue(timeline, dice.fork(), profile.duplicates);
  queue.onDeadLetter = (body) => trace.note("alarm", `dead letter ${body}`); // and nothing else
  const provider = gemini({ ...ground(), faults, network }, profile, witness.called);
  const web = simulatedWeb(dice.fork(), profile);
  const openJob = () => [...witness.jobs.values()].find(({ endedAt }) => endedAt === null)?.job.id;
  addTroubles(ground(), profile, { faults, provider, openJob });
  const services = { table, pools, queue, objects, webhooks };
  const receivers = simulatedReceivers(
    { timeline, dice: dice.fork() },
    downtimes(dice.fork(), isLong, webhooks),
  );
  listening(witness, webhooks, receivers, { timeline, skewMs });

  // The shorter time leaves a call hardly any: then attempts have to be given back
  const timeoutMs = dice.chance(0.7) ? 330_000 : 275_000;
  const workerLambda = lambda(ground(), { name: "worker", timeoutMs, skewMs, onTimeout: witness.timedOut });
  const memoryBytes = dice.pick(profile.memoryBytes);
  const memory = new WeakMap<Process, MemoryBudget>();
  const memoryOf = (process: Process) => {
    const budget = memory.get(process) ?? memoryBudget(memoryBytes);
    memory.set(process, budget);
    return budget;
  };
  workers(
    ground(),
    {
      batchSize: dice.whole(...profile.batchSize),
      maxConcurrency: dice.whole(...profile.maxConcurrency),
      visibilityMs,
    },
    queue,
    workerLambda,
    (run, { delivered }) => {
      const equipment = equip({ network, timeline }, services, { process: run.process, run });
      return {
        ...equipment,
        model: provider.serve(run),
        downloader: answering(equipment.via("web", web), (url) => witness.deadUrls.add(url)),
        memory: memoryOf(run.process),
        random: dice.fork(),
        delivered: equipment.via("message", delivered),
      };
    },
  );

  const sweepLambda = lambda(ground(), { name: "sweep", timeoutMs: 55_000, skewMs });
  schedule(ground(), profile.badTicks, () =>
    sweepLambda.invoke(
      async (process, leftMs) => {
        const equipment = equip({ network, timeline }, services, { process, run: null });
        await Promise.all([
          sweep({ ...equipment, queue: witness.countingSweeps(process, equipment.queue) }, leftMs),
          sweepDeliveries(equipment, leftMs),
        ]);
      },
      (ended) => {
        if (ended !== "died") witness.swept();
      },
    ),
  );

  const deliverLambdas = (["fast", "slow"] as const).map((lane) => {
    const random = dice.fork();
    const run = lambda(ground(), { name: `deliver-${lane}`, timeoutMs: 60_000, skewMs });
    deliverers(ground(), webhooks.lanes[lane], run, (process) => ({
      ...equip({ network, timeline }, services, { process, run: null }),
      sender: receivers.serve(process),
      random,
      render: async (_event, record) => JSON.stringify({ job: record?.job.id, status: record?.job.status }),
    }));
    return run;
  });

  const apiLambda = lambda(ground(), { name: "api", timeoutMs: 29_000, skewMs });
  const outside = ground();
  const front = api(ground(), apiLambda, profile.lostAnswers);
  const clients = tenants({
    ...outside,
    profile,
    witness,
    api: front,
    equip: (process) => ({
      ...equip({ network, timeline }, services, { process, run: null }),
      random: dice.fork(),
    }),
  });

  const owners = moodyOwners(
    {
      ...ground(),
      api: front,
      equip: (process) => equip({ network, timeline }, services, { process, run: null }),
    },
    profile.moody,
    webhooks.registered,
  );

  return {
    timeline,
    trace,
    faults,
    witness,
    table,
    pools: pools.truth,
    queue,
    objects,
    webhooks,
    receivers,
    // A delivery that failed some times has a schedule of days before it; a job that is stuck is told of long before
    longestMs: 160 * hour,
    isAtRest: () =>
      clients.busy === 0 &&
      owners.busy === 0 &&
      webhooks.isAtRest() &&
      [workerLambda, sweepLambda, apiLambda, ...deliverLambdas].every(({ running }) => running === 0) &&
      network.adrift === 0 &&
      [...witness.jobs.values()].every(
        ({ endedAt, deleted }) => endedAt !== null && (!deleted || isErased(deleted, timeline.now)),
      ),
  };
}

/** Whether it is worth waiting for more to be erased of a deleted job. */
function isErased({ at, purges }: { at: number; purges: number }, now: number): boolean {
  return purges >= lastPurge || now > at + 6 * hour;
}

/** One receiver of each world is down: for some minutes, or, one that hears of every job of its tenant, for six hours. */
function downtimes(dice: Dice, isLong: boolean, { registered }: Webhooks): ReadonlyMap<string, Downtime> {
  if (isLong) {
    const eager = registered.find(({ tenant, events }) => tenant === names[0] && events.length > 1);
    return new Map([[eager?.url ?? ownUrl("acme"), { from: start, until: start + 6 * hour }]]);
  }
  const from = start + dice.between(0, 600_000);
  const urls = [...registered.map(({ url }) => url), ...names.map(ownUrl)];
  return new Map([[dice.pick(urls), { from, until: from + dice.between(0, 600_000) }]]);
}

/** Until when nothing can be done with a job, because its own item fails. */
function sickUntil(faults: Faults, id: string): number {
  return Math.max(0, ...faults.outages.flatMap(({ subject, until }) => (subject === id ? [until] : [])));
}
