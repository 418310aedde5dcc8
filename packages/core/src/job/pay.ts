import type { Clock, Random } from "../clock.ts";
import { encodeJson } from "../json.ts";
import { costOf, noUsage, type Usage } from "../model/pricing.ts";
import { chooseModel } from "../model/registry.ts";
import type { Call } from "./attempt.ts";
import { type Failure, failureClasses } from "./failure.ts";
import { insist } from "./insist.ts";
import type { RunningJob } from "./job.ts";
import { imageKey, outcomeKey } from "./keys.ts";
import type { Outcome } from "./outcome.ts";
import type { Answer, ImageModel, ModelCall, Objects } from "./ports.ts";

type Ports = { objects: Objects; model: ImageModel; clock: Clock; random: Random };

/** What paying for one image index came to. `outcome` is there when it is final, and is stored. */
export type Paid = {
  readonly call: Call;
  readonly outcome: Outcome | null;
  readonly failure: Failure | null;
};

/**
 * Makes one paid call and stores what it came to: the outcome first, so that the bill is known whatever happens, then
 * the picture. `onAnswer` hears of the bill before anything is stored.
 * @throws the reason of `signal` when it aborts
 */
export async function pay(
  ports: Ports,
  job: RunningJob,
  call: ModelCall,
  index: number,
  limitMs: number,
  signal: AbortSignal,
  onAnswer: (call: Call) => void,
): Promise<Paid> {
  const { clock, objects } = ports;
  const startedAt = clock.now();
  const answer = await ask(ports, call, limitMs, signal);
  const answeredAt = clock.now();
  const cost = answer.usage ? costOf(chooseModel(job.model).model, answer.usage) : null;
  const billed = answer.type === "image" ? "yes" : answer.failure.billed;
  const known: Call = {
    index,
    billed,
    usage: billed === "no" ? noUsage : answer.usage,
    cost: billed === "no" ? 0 : billed === "unknown" ? null : cost,
    upstream: (answer.type === "image" ? answer.upstream : answer.failure.upstream) ?? null,
    startedAt,
    answeredAt,
    storedAt: null,
  };
  onAnswer(known);
  const outcome = outcomeOf(job, index, answer, known);
  if (!outcome)
    return { call: known, outcome: null, failure: answer.type === "failure" ? answer.failure : null };
  const json = encodeJson(outcome);
  await insist(ports, signal, () =>
    objects.put(outcomeKey(job, job.fence, index), [json.bytes], {
      mediaType: "application/json",
      sha256: json.sha256,
    }),
  );
  if (answer.type === "image") {
    const { bytes, mediaType, sha256 } = answer.image;
    await insist(ports, signal, () =>
      objects.put(imageKey(job, job.fence, index), bytes, { mediaType, sha256 }),
    );
  }
  return {
    call: { ...known, storedAt: clock.now() },
    outcome,
    failure: answer.type === "failure" ? answer.failure : null,
  };
}

async function ask(
  { clock, model }: Ports,
  call: ModelCall,
  limitMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const answered = new AbortController();
  const tooLong = new AbortController();
  const timer = clock.sleep(limitMs, answered.signal).then(() => tooLong.abort());
  try {
    return await model.generate(call, AbortSignal.any([signal, tooLong.signal]));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!tooLong.signal.aborted) throw error;
    return { type: "failure", failure: timedOut(limitMs), usage: null };
  } finally {
    answered.abort();
    await timer;
  }
}

function timedOut(limitMs: number): Failure {
  return {
    code: "timeout",
    message: `Gemini didn't answer within ${Math.round(limitMs / 1000)} s`,
    billed: "unknown",
  };
}

function outcomeOf(
  job: RunningJob,
  index: number,
  answer: Answer,
  { usage, cost }: { usage: Usage | null; cost: number | null },
): Outcome | null {
  if (answer.type === "failure") {
    const final = failureClasses[answer.failure.code].retries === 0;
    return final ? { type: "refused", index, failure: answer.failure, usage, cost } : null;
  }
  const { mediaType, width, height, size, sha256 } = answer.image;
  const image = {
    index,
    key: imageKey(job, job.fence, index),
    mediaType,
    width,
    height,
    bytes: size,
    sha256,
  };
  return { type: "image", image, text: answer.text, upstream: answer.upstream, usage, cost };
}
