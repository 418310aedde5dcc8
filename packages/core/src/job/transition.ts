import { advance } from "./advance.ts";
import { type Attempt, abandoned } from "./attempt.ts";
import { type Fact, isFinished, type Job, type Refusal } from "./job.ts";
import type { Result } from "./outcome.ts";
import type { Policy } from "./policy.ts";
import type { Jobs, Records } from "./ports.ts";

/** What the owner of an attempt knows at its end. */
export type Finish = { readonly attempt?: Attempt; readonly result?: Result };

/** The job as written, or why the fact didn't apply together with the job as it stands (`null`: it doesn't exist). */
export type Transition =
  | { readonly job: Job; readonly refused?: undefined }
  | { readonly refused: Refusal["refused"] | "absent"; readonly job: Job | null };

/**
 * Applies a fact to a stored job: `advance` decides, the store writes it only if nobody was quicker, and whoever was
 * quicker is heard and decided on again.
 */
export async function transition(
  jobs: Jobs,
  job: Job,
  fact: Fact,
  policy: Policy,
  finish: Finish = {},
): Promise<Transition> {
  let from = job;
  for (;;) {
    const to = advance(from, fact, policy);
    if ("refused" in to) return { refused: to.refused, job: from };
    const written = await jobs.write(from, to, closingRecords(from, to, finish, fact.at));
    if (written.written) return { job: to };
    if (written.current === null) return { refused: "absent", job: null };
    from = written.current;
  }
}

/**
 * What goes into the transaction of a transition: an attempt that ends gets its line, from its owner or, where the
 * owner isn't the one to end it, an unsettled one; the images that are there get their result.
 */
function closingRecords(from: Job, to: Job, { attempt, result }: Finish, at: number): Records {
  const ends = from.status === "running" && (to.status !== "running" || to.fence !== from.fence);
  if (!ends) return {};
  return {
    attempt: attempt ?? abandoned(from, endOf(from, to), at),
    ...(result && { result }),
  };
}

function endOf(from: Job, to: Job): Attempt["ended"] {
  if (from.crashes < to.crashes) return "worker_lost";
  if (!isFinished(to)) return "released";
  return to.status === "canceled" ? "canceled" : "expired";
}
