import { type Attempt, type Call, isSettled, unknownCall } from "./attempt.ts";
import type { RunningJob } from "./job.ts";
import { imageKey, metaPrefix } from "./keys.ts";
import { Outcome } from "./outcome.ts";
import type { Objects } from "./ports.ts";

/** What earlier attempts left behind: `outcomes` to use instead of paying, by image index, and their bills. */
export type Adopted = {
  readonly outcomes: ReadonlyMap<number, Outcome>;
  /** Calls of earlier attempts whose cost is known only now, by fence. */
  readonly bills: ReadonlyMap<number, readonly Call[]>;
};

export const nothingAdopted: Adopted = { outcomes: new Map(), bills: new Map() };

/**
 * Looks for outcomes that earlier attempts stored before they were lost. Per image index the lowest fence with an
 * outcome and its image, or with a final refusal, counts; an outcome whose image is missing only tells what was paid.
 */
export async function adopt(
  objects: Objects,
  job: RunningJob,
  earlier: readonly Attempt[],
): Promise<Adopted> {
  const outcomes = new Map<number, Outcome>();
  const calls = new Map<number, Map<number, Call>>();
  for (const { key, fence, index } of await storedOutcomes(objects, job)) {
    const bytes = await objects.get(key);
    if (!bytes) continue;
    const outcome = Outcome.parse(JSON.parse(new TextDecoder().decode(bytes)));
    const ofFence = calls.get(fence) ?? new Map<number, Call>();
    calls.set(fence, ofFence.set(index, paidCall(index, outcome)));
    if (outcomes.has(index)) continue;
    if (outcome.type === "refused" || (await objects.size(imageKey(job, fence, index))) !== null)
      outcomes.set(index, outcome);
  }
  const bills = new Map(
    earlier.flatMap(({ fence, calls: told }) => {
      const paid = calls.get(fence);
      return paid && !isSettled(told)
        ? [[fence, told.map((call) => paid.get(call.index) ?? call)] as const]
        : [];
    }),
  );
  return { outcomes, bills };
}

/** The bill that a stored outcome tells. */
export function paidCall(index: number, outcome: Outcome): Call {
  const upstream = outcome.type === "image" ? outcome.upstream : (outcome.failure.upstream ?? null);
  return {
    ...unknownCall(index),
    billed: outcome.type === "image" ? "yes" : outcome.failure.billed,
    usage: outcome.usage,
    cost: outcome.cost,
    upstream,
    failure: outcome.type === "refused" ? outcome.failure : null,
  };
}

async function storedOutcomes(objects: Objects, job: RunningJob) {
  const prefix = metaPrefix(job);
  return (await objects.list(prefix))
    .flatMap((key) => {
      const match = /^(\d+)\/(\d+)\.json$/.exec(key.slice(prefix.length));
      return match ? [{ key, fence: Number(match[1]), index: Number(match[2]) }] : [];
    })
    .filter(({ fence }) => fence < job.fence)
    .sort((a, b) => a.fence - b.fence || a.index - b.index);
}
