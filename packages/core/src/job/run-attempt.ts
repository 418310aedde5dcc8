import type { Clock, Random } from "../clock.ts";
import type { JobId } from "../id.ts";
import { adopt, nothingAdopted } from "./adopt.ts";
import { type Attempt, type Call, unknownCall } from "./attempt.ts";
import { claim, type Unclaimed } from "./claim.ts";
import { type Conclusion, conclude } from "./conclude.ts";
import type { Failure } from "./failure.ts";
import { heartbeat, LeaseLost } from "./heartbeat.ts";
import { loadInputs } from "./inputs.ts";
import { insist } from "./insist.ts";
import { type Fact, type Job, messageDelayMs, type RunningJob } from "./job.ts";
import type { Outcome } from "./outcome.ts";
import { type Paid, pay } from "./pay.ts";
import type { Policy } from "./policy.ts";
import type { Delivered, ImageModel, JobQueue, JobRecord, Jobs, Objects } from "./ports.ts";
import { transition } from "./transition.ts";

export type WorkerPorts = {
  readonly jobs: Jobs;
  readonly queue: JobQueue;
  readonly objects: Objects;
  readonly model: ImageModel;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Policy;
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
  const claimed = await claim(ports, id);
  if (typeof claimed === "string") {
    await message.ack();
    return { ended: claimed };
  }
  const beat = heartbeat(ports, claimed, message);
  const calls = new Map<number, Call>();
  try {
    const report = await attempt(ports, claimed, beat.signal, leftMs, calls);
    await message.ack();
    return report;
  } catch (error) {
    await tellBill(ports, claimed, calls);
    if (!(error instanceof LeaseLost)) throw error;
    await message.ack();
    return { ended: "lease_lost", fence: claimed.fence };
  } finally {
    await beat.stop();
  }
}

async function attempt(
  ports: WorkerPorts,
  claimed: RunningJob,
  signal: AbortSignal,
  leftMs: () => number,
  calls: Map<number, Call>,
): Promise<Report> {
  const { jobs, clock, policy } = ports;
  const record = await jobs.read(claimed.id);
  if (!record) throw new LeaseLost("absent");
  const adopted = claimed.fence > 1 ? await adopt(ports.objects, claimed, record.attempts) : nothingAdopted;
  for (const [fence, bill] of adopted.bills) await jobs.settle(claimed.id, fence, bill);

  const missing = Array.from({ length: record.request.count }, (_, index) => index).filter(
    (index) => !adopted.outcomes.has(index),
  );
  if (missing.length === 0)
    return close(ports, claimed, signal, record, [...adopted.outcomes.values()], [], calls);

  const inputs = await loadInputs(ports.objects, claimed, record.request);
  if (!inputs) {
    const gone: Failure = {
      code: "input_unavailable",
      message: "A reference image no longer exists",
      billed: "no",
    };
    return close(ports, claimed, signal, record, [...adopted.outcomes.values()], [gone], calls);
  }
  if (leftMs() < policy.callMs + policy.callMarginMs) return release(ports, claimed);

  const rechecked = await insist(ports, signal, () =>
    transition(
      jobs,
      claimed,
      { type: "rechecked", at: clock.now(), fence: claimed.fence, paying: missing },
      policy,
    ),
  );
  if (rechecked.refused) throw new LeaseLost(rechecked.refused);
  for (const index of missing) calls.set(index, unknownCall(index));
  const limitMs = Math.max(1, Math.min(policy.callMs, claimed.deadlineAt - clock.now()));
  const { prompt, aspectRatio, imageSize, output } = record.request;
  const paid = await allOrReason(
    missing.map((index) =>
      pay(
        ports,
        claimed,
        { model: claimed.model, prompt, images: inputs, aspectRatio, imageSize, output },
        index,
        limitMs,
        signal,
        (call) => calls.set(index, call),
      ),
    ),
  );
  for (const { call } of paid) calls.set(call.index, call);
  const outcomes = [...adopted.outcomes.values(), ...paid.flatMap(({ outcome }) => outcome ?? [])];
  const failures = paid.flatMap(({ outcome, failure }: Paid) => (failure && !outcome ? [failure] : []));
  return close(ports, claimed, signal, record, outcomes, failures, calls);
}

/** Waits for every call even when one throws: a call's bill must not be lost to its neighbour's fault. */
async function allOrReason(paying: readonly Promise<Paid>[]): Promise<Paid[]> {
  const settled = await Promise.allSettled(paying);
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/** Ends the attempt: success, retry or failure, in one transaction with its line in the flight recorder. */
async function close(
  ports: WorkerPorts,
  claimed: RunningJob,
  signal: AbortSignal,
  { request }: JobRecord,
  outcomes: readonly Outcome[],
  failures: readonly Failure[],
  calls: ReadonlyMap<number, Call>,
): Promise<Report> {
  const { jobs, queue, clock, policy, random } = ports;
  const at = clock.now();
  const conclusion = conclude(
    claimed,
    request,
    outcomes,
    failures,
    { at, random: random.fraction() },
    policy,
  );
  const line: Attempt = {
    fence: claimed.fence,
    startedAt: claimed.claimedAt,
    endedAt: at,
    ended: conclusion.ended,
    failure: conclusion.failure,
    calls: [...calls.values()],
  };
  const closed = await insist(ports, signal, () =>
    transition(jobs, claimed, conclusion.fact, policy, {
      attempt: line,
      ...(conclusion.result ? { result: conclusion.result } : {}),
    }),
  );
  if (closed.refused && !isOwn(closed.job, claimed, conclusion)) throw new LeaseLost(closed.refused);
  if (closed.job?.status === "queued") await resend(queue, closed.job, clock.now());
  return {
    ended: conclusion.ended,
    fence: claimed.fence,
    ...(conclusion.failure ? { failure: conclusion.failure } : {}),
  };
}

/** A commit whose answer was lost finds the job where only the owner of its fence can have brought it. */
function isOwn(job: Job | null, claimed: RunningJob, { ended }: Conclusion): boolean {
  const status = ended === "retried" ? "queued" : ended;
  return job !== null && job.fence === claimed.fence && job.status === status;
}

async function release(ports: WorkerPorts, claimed: RunningJob): Promise<Report> {
  const { jobs, queue, clock, policy } = ports;
  const fact: Fact = { type: "released", at: clock.now(), fence: claimed.fence };
  const released = await transition(jobs, claimed, fact, policy);
  if (released.refused) throw new LeaseLost(released.refused);
  if (released.job.status === "queued") await resend(queue, released.job, clock.now());
  return { ended: "released", fence: claimed.fence };
}

async function resend(queue: JobQueue, job: Extract<Job, { status: "queued" }>, at: number): Promise<void> {
  const delay = messageDelayMs(job, at);
  // A second more than the wait, so that the message doesn't come early and sit in a worker
  if (delay !== null) await queue.send(job, delay === 0 ? 0 : delay + 1_000);
}

/** An attempt that isn't the one to end its job still says what it knows of its bill. */
async function tellBill(
  { jobs }: WorkerPorts,
  claimed: RunningJob,
  calls: ReadonlyMap<number, Call>,
): Promise<void> {
  const known = [...calls.values()];
  if (known.some(({ billed }) => billed !== "unknown")) await jobs.settle(claimed.id, claimed.fence, known);
}
