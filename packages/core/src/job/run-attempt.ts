import type { Admission } from "../capacity/admit.ts";
import type { Heard } from "../capacity/gate.ts";
import type { Held } from "../capacity/held.ts";
import type { CapacityPorts } from "../capacity/ports.ts";
import type { Clock, Random } from "../clock.ts";
import type { JobId } from "../id.ts";
import type { Model } from "../model/model.ts";
import type { Registry } from "../model/registry.ts";
import { type Adopted, adopt, nothingAdopted } from "./adopt.ts";
import { type Attempt, type Call, type ReleaseReason, unknownCall } from "./attempt.ts";
import { claim, type Unclaimed } from "./claim.ts";
import { type Closed, closeAttempt, type InHand } from "./close-attempt.ts";
import { begunTooLate } from "./closing-failures.ts";
import type { More } from "./conclude.ts";
import type { Failure } from "./failure.ts";
import { fetchInputs } from "./fetch-inputs.ts";
import { callFor, gather, type Material } from "./gather.ts";
import { heartbeat, LeaseLost } from "./heartbeat.ts";
import { insist } from "./insist.ts";
import { isFinished, isLeased, type RunningJob } from "./job.ts";
import { expectedMemory, type MemoryBudget } from "./memory-budget.ts";
import { type OwnJob, ownJob } from "./own-job.ts";
import { type Paid, pay } from "./pay.ts";
import type { Policy } from "./policy.ts";
import type { Delivered, Downloader, ImageModel, Objects } from "./ports.ts";
import type { JobRequest } from "./request.ts";
import type { Transition } from "./transition.ts";

export type WorkerPorts = CapacityPorts & {
  readonly objects: Objects;
  readonly downloader: Downloader;
  readonly model: ImageModel;
  readonly random: Random;
  readonly registry: Registry;
  readonly memory: MemoryBudget;
};

/** What a message came to, for the log. */
export type Report = {
  readonly ended: Unclaimed | Attempt["ended"] | "lease_lost";
  readonly fence?: number;
  readonly failure?: Failure;
};

/**
 * Everything between a message and its acknowledgement: claim, beat, adopt, recheck, pay, commit or retry, ack.
 * Rejects only with what nobody expected; the message then returns to the queue and the lease runs out.
 * @param leftMs tells how long this function may still run
 */
export async function runAttempt(
  ports: WorkerPorts,
  id: JobId,
  message: Delivered,
  leftMs: () => number,
): Promise<Report> {
  await message.extend(ports.policy.beatVisibilityMs);
  const taken = await claim(ports, id, leftMs);
  if (typeof taken === "string") {
    await message.ack();
    return { ended: taken };
  }
  const { job: claimed, admission } = taken;
  const own = ownJob(ports, claimed);
  const beat = heartbeat(ports, own, message);
  const time = functionTime(ports, leftMs);
  const calls: Bills = new Map();
  try {
    const signal = AbortSignal.any([beat.signal, time.signal]);
    const report = await attempt(ports, own, admission, signal, leftMs, calls);
    await message.ack();
    return report;
  } catch (error) {
    await tellBill(ports, claimed, calls);
    // A lease that somebody else has needs no message any more; one that couldn't be renewed does
    if (!(error instanceof LeaseLost) || error.refused === "beat_failed") throw error;
    await message.ack();
    return { ended: "lease_lost", fence: claimed.fence };
  } finally {
    await time.stop();
    await beat.stop();
    if (isAdmitted(admission)) await admission.leave();
  }
}

function isAdmitted(admission: Admission | Held): admission is Admission {
  return "calls" in admission;
}

/** What a function keeps to end in order, to tell bills and give messages back; of what it has after a call, half at most. */
const endMs = 5_000;

/** Aborts when the function's time is nearly over, so that it isn't ended in the middle of the batch's other jobs. */
function functionTime(
  { clock, policy }: { clock: Clock; policy: Policy },
  leftMs: () => number,
): { signal: AbortSignal; stop(): Promise<void> } {
  const over = new AbortController();
  const stopped = new AbortController();
  const keptMs = Math.min(endMs, policy.callMarginMs / 2);
  const timer = clock.sleep(Math.max(0, leftMs() - keptMs), stopped.signal).then(() => {
    if (!stopped.signal.aborted)
      over.abort(new Error("Cannot go on with the attempt: the function's time is over"));
  });
  return {
    signal: over.signal,
    stop() {
      stopped.abort();
      return timer;
    },
  };
}

type Bills = Map<number, Call>;

async function attempt(
  ports: WorkerPorts,
  own: OwnJob,
  admission: Admission | Held,
  signal: AbortSignal,
  leftMs: () => number,
  calls: Bills,
): Promise<Closed> {
  const { jobs, objects, policy, memory, registry } = ports;
  const { claimed } = own;
  // Who gave up at a passing fault would leave the job to its lease, and be counted as a crash
  const record = await insist(ports, signal, () => jobs.read(claimed.id));
  if (!record) throw new LeaseLost("absent");
  const { request } = record;
  const adopted =
    claimed.fence > 1
      ? await insist(ports, signal, () => adopt(objects, claimed, record.attempts))
      : nothingAdopted;
  for (const [fence, bill] of adopted.bills)
    await insist(ports, signal, () => jobs.settle(claimed.id, fence, bill));

  const model = registry.find(claimed.model);
  const outcomes = [...adopted.outcomes.values()];
  const close = (about: Partial<InHand>) => {
    const inHand = {
      outcomes,
      failures: [],
      more: null,
      opensAt: null,
      ...about,
      calls: [...calls.values()],
    };
    return closeAttempt(ports, own, model, request, inHand, signal);
  };
  const missing = missingIndexes(request, adopted);
  if (missing.length === 0) return close({});
  if (!model) return close({ failures: [modelGone(claimed.model)] });
  if (!isAdmitted(admission)) return close({ more: { reason: admission.reason, held: admission } });

  const inputs = await fetchInputs(ports, claimed, model, request, signal);
  if ("failures" in inputs) return close({ failures: inputs.failures });
  const size = request.imageSize ?? model.defaultSize;
  const each = expectedMemory(request, size, inputs.bytes);
  const fitting = Math.max(1, Math.floor(memory.total / each));
  const paying = missing.slice(0, Math.min(fitting, admission.calls));
  const freeMemory = await memory.reserve(paying.length * each, signal);
  try {
    const material = await insist(ports, signal, () => gather(ports, claimed, request));
    if (!material) return await close({ failures: [inputGone] });
    const lease = await recheck(ports, own, paying, signal);
    if (lease === "expired") return await close({ failures: [begunTooLate(claimed)] });
    if (lease === "old") return await close({ more: later("lease_age") });
    if (leftMs() < policy.callMs + policy.callMarginMs) return await close({ more: later("function_time") });
    for (const index of paying) calls.set(index, unknownCall(index));
    const { key } = admission;
    const paid = await payAll(ports, claimed, { model, key }, request, material, paying, signal, calls);
    for (const { call } of paid) calls.set(call.index, call);
    const heard = paid.flatMap(({ call }) => heardIn(call));
    const opensAt = await insist(ports, signal, () => admission.answered(heard));
    return await close({
      opensAt,
      outcomes: [...outcomes, ...paid.flatMap(({ outcome }) => outcome ?? [])],
      failures: paid.flatMap(({ outcome, failure }) => (failure && !outcome ? [failure] : [])),
      more:
        paying.length < missing.length
          ? later(fitting < admission.calls ? "worker_memory" : "model_limit")
          : null,
    });
  } finally {
    freeMemory();
  }
}

/** The images that are left may be tried at once, by the next attempt. */
function later(reason: ReleaseReason): More {
  return { reason, held: null };
}

/** What a call tells of its model. */
function heardIn({ startedAt, answeredAt, failure }: Call): Heard[] {
  return startedAt === null || answeredAt === null ? [] : [{ startedAt, answeredAt, failure }];
}

function modelGone(id: string): Failure {
  return {
    code: "provider_configuration",
    message: `This deployment doesn't know model "${id}" any more`,
    billed: "no",
  };
}

const inputGone: Failure = {
  code: "input_unavailable",
  message: "A reference image no longer exists",
  billed: "no",
};

function missingIndexes({ count }: JobRequest, { outcomes }: Adopted): number[] {
  return Array.from({ length: count }, (_, index) => index).filter((index) => !outcomes.has(index));
}

const mostRechecks = 3;

/**
 * The last look before money is spent: whoever froze since the claim finds out here that the job is another's. Who froze
 * in this very look has renewed a lease that is old already, and looks again: a call begins with all of it but half a beat,
 * so that the beats can keep it.
 * @returns `old` where the store takes too long for that, again and again; `expired` where the job's deadline has passed
 */
async function recheck(
  ports: WorkerPorts,
  { claimed: { fence }, tell }: OwnJob,
  paying: readonly number[],
  signal: AbortSignal,
): Promise<"fresh" | "old" | "expired"> {
  const { clock, policy } = ports;
  for (let looks = 1; looks <= mostRechecks; looks += 1) {
    signal.throwIfAborted();
    const { job, refused }: Transition = await insist(ports, signal, () =>
      tell({ type: "rechecked", at: clock.now(), fence, paying }),
    );
    if (refused === "deadline_passed") return "expired";
    if (refused) throw new LeaseLost(refused);
    if (!isFinished(job) && isLeased(job, clock.now() + policy.leaseMs - policy.beatMs / 2)) return "fresh";
  }
  return "old";
}

/** All calls at once. Waits for every one even when one throws: a bill must not be lost to a neighbour's fault. */
async function payAll(
  ports: WorkerPorts,
  claimed: RunningJob,
  { model, key }: { model: Model; key: string },
  request: JobRequest,
  material: Material,
  paying: readonly number[],
  signal: AbortSignal,
  calls: Bills,
): Promise<readonly Paid[]> {
  const { clock, policy } = ports;
  const limitMs = Math.max(1, Math.min(policy.callMs, claimed.deadlineAt - clock.now()));
  const { fetched, historyUnused } = material;
  const settled = await Promise.allSettled(
    paying.map((index) => {
      const call = callFor(claimed, key, request, material, index);
      const tell = (bill: Call) => calls.set(index, bill);
      return pay(ports, claimed, model, call, { index, fetched, historyUnused }, limitMs, signal, tell);
    }),
  );
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

const triesToTell = 3;

/** An attempt that isn't the one to end its job still says what it knows of its calls. Nobody else can: it tries again. */
async function tellBill(
  { jobs, clock, random }: WorkerPorts,
  claimed: RunningJob,
  calls: Bills,
): Promise<void> {
  const known = [...calls.values()];
  if (known.every(({ startedAt }) => startedAt === null)) return;
  for (let spent = 1; ; spent += 1) {
    try {
      return await jobs.settle(claimed.id, claimed.fence, known);
    } catch (error) {
      if (spent === triesToTell) throw error;
      await clock.sleep(random.fraction() * 200 * 2 ** spent);
    }
  }
}
