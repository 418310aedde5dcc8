import type { Clock, Random } from "../clock.ts";
import { encodeJson } from "../json.ts";
import type { Model } from "../model/model.ts";
import { costOf, noUsage } from "../model/pricing.ts";
import { type Call, unknownCall } from "./attempt.ts";
import { type Failure, isExhausted } from "./failure.ts";
import { insist } from "./insist.ts";
import type { RunningJob } from "./job.ts";
import { imageKey, outcomeKey, partKey } from "./keys.ts";
import type { FetchedImage, Outcome } from "./outcome.ts";
import type { Answer, Bytes, ImageModel, ModelCall, Objects } from "./ports.ts";

type Ports = {
  objects: Objects;
  model: ImageModel;
  clock: Clock;
  random: Random;
};

/** What paying for one image index came to. `outcome` is there when it is final, and is stored. */
export type Paid = {
  readonly call: Call;
  readonly outcome: Outcome | null;
  readonly failure: Failure | null;
};

/** What the outcome of a call tells beside its answer. */
type About = {
  readonly index: number;
  readonly fetched: readonly FetchedImage[];
  readonly historyUnused: string | null;
};

/**
 * Makes one paid call and stores what it came to: the outcome first, so that the bill is known whatever happens, then
 * the picture. `tell` hears when the call begins, and of the bill before anything is stored.
 * @throws the reason of `signal` when it aborts
 */
export async function pay(
  ports: Ports,
  job: RunningJob,
  model: Model,
  asked: ModelCall,
  { index, fetched, historyUnused }: About,
  limitMs: number,
  signal: AbortSignal,
  tell: (call: Call) => void,
): Promise<Paid> {
  const { clock } = ports;
  const startedAt = clock.now();
  tell({ ...unknownCall(index), startedAt });
  const answer = await ask(ports, asked, limitMs, signal);
  const answeredAt = clock.now();
  const cost = answer.usage ? costOf(model, answer.usage) : null;
  const billed = answer.type === "image" ? "yes" : answer.failure.billed;
  const known: Call = {
    index,
    billed,
    usage: billed === "no" ? noUsage : answer.usage,
    cost: billed === "no" ? 0 : billed === "unknown" ? null : cost,
    upstream: (answer.type === "image" ? answer.upstream : answer.failure.upstream) ?? null,
    failure: answer.type === "failure" ? answer.failure : null,
    startedAt,
    answeredAt,
    storedAt: null,
  };
  tell(known);
  if (answer.type === "failure") {
    const { failure } = answer;
    if (!isExhausted(failure.code, job.spent[failure.code] ?? 0))
      return { call: known, outcome: null, failure };
    const refused: Outcome = { type: "refused", index, failure, usage: known.usage, cost: known.cost };
    await store(ports, signal, outcomeKey(job, job.fence, index), encodeJson(refused));
    return { call: { ...known, storedAt: clock.now() }, outcome: refused, failure };
  }
  const { outcome: told, pictures } = place(job, index, answer, historyUnused === null);
  const outcome: Outcome = {
    ...told,
    fetched: [...fetched],
    historyUnused,
    usage: known.usage,
    cost: known.cost,
  };
  await store(ports, signal, outcomeKey(job, job.fence, index), encodeJson(outcome));
  for (const { key, image } of pictures) await store(ports, signal, key, image);
  return { call: { ...known, storedAt: clock.now() }, outcome, failure: null };
}

type Storable = { readonly bytes: Bytes; readonly mediaType: string; readonly sha256: string };

function store(ports: Ports, signal: AbortSignal, key: string, { bytes, ...about }: Storable): Promise<void> {
  return insist(ports, signal, () => ports.objects.put(key, bytes, about));
}

type ImageAnswer = Extract<Answer, { type: "image" }>;

/** Gives each picture of an answer its place: the result among the images, the others beside the outcome. */
function place(
  job: RunningJob,
  index: number,
  { image, parts, text, grounding, upstream }: ImageAnswer,
  usedHistory: boolean,
) {
  const { fence } = job;
  const key = imageKey(job, fence, index);
  const placed = parts.map((part, at) =>
    part.type === "image"
      ? { ...part, key: part.image === image ? key : partKey(job, fence, index, at) }
      : part,
  );
  const { mediaType, width, height, size, sha256 } = image;
  const outcome = {
    type: "image" as const,
    image: { index, fence, key, mediaType, width, height, bytes: size, sha256, usedHistory },
    text,
    grounding,
    upstream,
    parts: placed.map((part) =>
      part.type === "text"
        ? part
        : { type: part.type, key: part.key, mediaType: part.image.mediaType, signature: part.signature },
    ),
  };
  const others = placed.flatMap((part) => (part.type === "image" && part.image !== image ? [part] : []));
  // The result last: once it is there, so is all that a later turn needs
  return { outcome, pictures: [...others, { key, image }] };
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
    const answer = await model.generate(call, AbortSignal.any([signal, tooLong.signal]));
    return call.history.length > 0 ? blamingHistory(answer) : answer;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!tooLong.signal.aborted) throw error;
    return { type: "failure", failure: timedOut(limitMs), usage: null };
  } finally {
    answered.abort();
    await timer;
  }
}

/** What is too large with the turns before may not be without them. */
function blamingHistory(answer: Answer): Answer {
  if (answer.type === "image" || answer.failure.code !== "too_large") return answer;
  return { ...answer, failure: { ...answer.failure, code: "history_rejected" } };
}

function timedOut(limitMs: number): Failure {
  return {
    code: "timeout",
    message: `Gemini didn't answer within ${Math.round(limitMs / 1000)} s`,
    billed: "unknown",
  };
}
