import { idEntropyBytes, newJobId } from "@plantain/core/id";
import { cancel } from "@plantain/core/job/cancel";
import { type FinishedJob, isFinished } from "@plantain/core/job/job";
import type { Jobs } from "@plantain/core/job/ports";
import { transition } from "@plantain/core/job/transition";
import { announcing } from "@plantain/core/webhook/announce";
import { deliver } from "@plantain/core/webhook/deliver";
import { isResting } from "@plantain/core/webhook/delivery";
import { type Endpoint, type Lane, newSigner } from "@plantain/core/webhook/endpoint";
import { deliveryId, isDeliveryId, jobEventId, webhookId } from "@plantain/core/webhook/ids";
import type { Deliveries, DeliveryQueue } from "@plantain/core/webhook/ports";
import { sweepDeliveries } from "@plantain/core/webhook/sweep-deliveries";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { sampleEndpoint } from "@plantain/memory/webhook-samples";
import { type Dice, dice as seededDice } from "./dice.ts";
import { faults as seededFaults } from "./faults.ts";
import { lambda } from "./lambda.ts";
import { network as simulatedNetwork } from "./network.ts";
import type { Process } from "./process.ts";
import type { Profile } from "./profile.ts";
import { type Queue, queue as simulatedQueue } from "./queue.ts";
import { receivers as simulatedReceivers } from "./receivers.ts";
import { type Repeats, remote } from "./remote.ts";
import { schedule } from "./schedule.ts";
import { drained } from "./simulate.ts";
import { timeline as simulatedTime } from "./timeline.ts";
import { trace as seededTrace } from "./trace.ts";

const start = Date.UTC(2026, 10, 1);
const hour = 3_600_000;
/** How long one of the receivers is down. */
const downMs = 6 * hour;
/** A delivery's whole schedule, and as much again for what comes on top. */
const longestMs = 160 * hour;
const visibilityMs = 360_000;

/** What one seed came to. */
export type Delivered = {
  readonly violations: readonly string[];
  readonly virtualMs: number;
  readonly requests: number;
  readonly hash: string;
};

/**
 * Runs the half of the system that tells of jobs, from the write that ends one to the receiver, under the same faults as the
 * whole: processes die and freeze, writes take effect unheard, messages get lost and double, the schedule stumbles, and
 * one of three receivers is down for six hours.
 */
export async function simulateDeliveries(
  seed: number,
  profile: Profile,
  print: ((line: string) => void) | null = null,
): Promise<Delivered> {
  const timeline = simulatedTime(start);
  const trace = seededTrace(timeline, start, print);
  const dice = seededDice(seed);
  const ground = () => ({ timeline, trace, dice: dice.fork() });
  const { skewMs } = profile;
  const faults = seededFaults(dice.fork(), profile, start + 9 * hour);
  const network = simulatedNetwork({ ...ground(), faults });
  const deliveries = memoryDeliveries();
  const endpoints = memoryEndpoints(deliveries);
  const jobs = memoryJobs(deliveries);
  const violations: string[] = [];
  const violate = (text: string) => violations.push(text);

  const events = ["job.succeeded", "job.failed", "job.canceled"] as const;
  const urls = ["down", "up", "picky"].map((name) => `https://${name}.example.com/`);
  const registered = urls.map((url, at) =>
    sampleEndpoint({
      ...newSigner("acme", start + at, dice),
      url,
      events: at === 2 ? ["job.failed"] : events,
    }),
  );
  for (const endpoint of registered) await endpoints.create(endpoint);
  await endpoints.writeSigner(null, newSigner("acme", start, dice));
  const ownUrl = "https://own.example.com/";
  const downFrom = start + dice.between(0, hour);
  const receivers = simulatedReceivers(
    { timeline, dice: dice.fork() },
    new Map([[urls[0] ?? "", { from: downFrom, until: downFrom + downMs }]]),
  );

  const lanes: Record<Lane, Queue> = {
    fast: simulatedQueue(timeline, dice.fork(), profile.duplicates),
    slow: simulatedQueue(timeline, dice.fork(), profile.duplicates),
  };
  const deliveryQueue: DeliveryQueue = {
    // The simulated queue carries ids, whatever they name
    send: ({ id, tenant }, lane, delayMs) => lanes[lane].port.send({ id: id as never, tenant }, delayMs),
  };
  const equip = (process: Process, random: Dice) => {
    const caller = { process, run: null };
    const via = <P extends object>(service: string, port: P) =>
      remote(network, caller, service, port, { repeats });
    const ports = {
      endpoints: via("endpoints", endpoints),
      deliveries: via("deliveries", deliveries),
      deliveryQueue: via("deliveryQueue", deliveryQueue),
      clock: process.clock,
      policy: samplePolicy,
      random,
    };
    return { ...ports, jobs: announcing(via("jobs", jobs), ports, () => undefined) };
  };

  for (const lane of ["fast", "slow"] as const) {
    const run = lambda(ground(), { name: `deliver-${lane}`, timeoutMs: 60_000, skewMs });
    const random = dice.fork();
    const poll = () => {
      while (run.running < 3) {
        const batch = lanes[lane].receive(5, visibilityMs);
        if (batch.length === 0) return;
        run.invoke(async (process) => {
          const ports = { ...equip(process, random), sender: receivers.serve(process), render };
          const each = async ({ body, delivered }: (typeof batch)[number]) => {
            const id: string = JSON.parse(body).jobId;
            if (!isDeliveryId(id)) throw new Error(`Cannot deliver "${id}"`);
            const { ended } = await deliver(ports, id, lane);
            trace.note(process.name, `${id} ${ended}`);
            await delivered.ack();
          };
          // One that fails is handed back, and the others of its batch go on
          await Promise.allSettled(batch.map(each));
        }, poll);
      }
    };
    lanes[lane].onVisible = () => timeline.after(dice.between(5, 400), poll);
  }
  const sweeping = lambda(ground(), { name: "sweep", timeoutMs: 55_000, skewMs });
  const sweepRandom = dice.fork();
  schedule(ground(), profile.badTicks, () =>
    sweeping.invoke(async (process, leftMs) => {
      await sweepDeliveries(equip(process, sweepRandom), leftMs);
    }),
  );

  const made = Array.from({ length: 12 }, (_, at) => {
    const notifies = at % 3 === 0 ? events : [];
    const createdAt = Math.round(start + dice.between(0, 7 * hour));
    return sampleJob({
      id: newJobId(createdAt, dice.bytes(idEntropyBytes)),
      tenant: at === 11 ? "globex" : "acme",
      createdAt,
      deadlineAt: createdAt + 1_000,
      notifies,
    });
  });
  const api = lambda(ground(), { name: "api", timeoutMs: 29_000, skewMs });
  const apiRandom = dice.fork();
  for (const job of made) {
    const webhook = job.notifies.length > 0 ? { url: ownUrl, events: [...job.notifies], secret: null } : null;
    await jobs.create(job, sampleRequest({ webhook }), null, job.createdAt);
    const isCanceled = dice.chance(0.5);
    const attempt = () =>
      api.invoke(
        async (process) => {
          const { jobs: announced, clock, policy } = equip(process, apiRandom);
          if (isCanceled) return void (await cancel({ jobs: announced, clock, policy }, job.tenant, job.id));
          const at = Math.max(clock.now(), job.deadlineAt);
          await transition(announced, job, { type: "expired", at }, policy);
        },
        // Whoever ends a job repeats it until it is over
        () => {
          void jobs.load(job.id).then((now) => {
            if (now && !isFinished(now)) timeline.after(dice.between(1_000, 60_000), attempt);
          });
        },
      );
    timeline.at(job.createdAt + 5_000, attempt);
  }

  const ids = new Map(
    made.flatMap((job) => wanted(job.tenant, registered).map((to) => [nameOf(job, to), job])),
  );
  receivers.onRequest = ({ id, body }, isAlone) => {
    if (!isAlone) violate(`Two requests "${id}" are under way at once, and nothing has befallen the first`);
    const job = ids.get(id);
    if (!job) return void violate(`A request has the webhook-id "${id}", which no event has at any endpoint`);
    if (JSON.parse(body).job !== job.id) violate(`Request "${id}" tells of another job`);
  };

  while (violations.length === 0 && timeline.step()) {
    await drained();
    if (timeline.now > start + longestMs) violate("The system does not come to rest");
    if (timeline.now > start + 8 * hour && (await isAtRest(jobs, deliveries))) break;
  }
  for (const job of made) {
    const over = await jobs.load(job.id);
    if (!over || !isFinished(over)) continue;
    const expected = [
      ...wanted(job.tenant, registered).filter((to) => to?.events.includes(`job.${over.status}`)),
      ...(job.notifies.includes(`job.${over.status}`) ? [null] : []),
    ];
    for (const to of expected) await examine(over, to);
  }
  return {
    violations,
    virtualMs: timeline.now - start,
    requests: receivers.requests.length,
    hash: trace.hash,
  };

  async function isAtRest(truth: Jobs, of: Deliveries): Promise<boolean> {
    for (const { id } of made) {
      const job = await truth.load(id);
      if (!job || !isFinished(job)) return false;
      if (!(await of.ofEvent(jobEventId(id))).every(isResting)) return false;
    }
    return true;
  }

  async function examine(job: FinishedJob, to: Endpoint | null): Promise<void> {
    const name = `Delivery of "${job.id}" (${job.status}) to ${to?.url ?? ownUrl}`;
    const delivery = await deliveries.load(deliveryId(jobEventId(job.id), to?.id ?? "inline"));
    if (!delivery) return void violate(`${name} doesn't exist`);
    const came = receivers.requests.filter(({ id }) => id === nameOf(job, to));
    if (delivery.status !== "delivered") violate(`${name} is ${delivery.status}`);
    if (!came.some(({ taken }) => taken)) violate(`${name} never arrived`);
    if (came.length > delivery.fence) violate(`${name} made more requests than it was claimed`);
    if (delivery.spent !== delivery.fence - 1)
      violate(`${name} spent other than a step for each try that failed`);
  }
}

const render = async (_: unknown, record: { readonly job: { readonly id: string } } | null) =>
  JSON.stringify({ job: record?.job.id });

function wanted(tenant: string, registered: readonly Endpoint[]): readonly (Endpoint | null)[] {
  return [...registered.filter((each) => each.tenant === tenant), null];
}

function nameOf({ id }: { readonly id: FinishedJob["id"] }, to: Endpoint | null): string {
  return webhookId(jobEventId(id), to?.id ?? "inline");
}

/** How a repeated request ends in DynamoDB: a transaction counts once; a single write meets its own write id. */
const repeats: Repeats = {
  announce: (_args, first) => Promise.resolve(first),
  write: (_args, first) => Promise.resolve(first),
};
