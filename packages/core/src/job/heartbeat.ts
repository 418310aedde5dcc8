import type { Clock } from "../clock.ts";
import type { Job, RunningJob } from "./job.ts";
import type { Policy } from "./policy.ts";
import type { Delivered, Jobs } from "./ports.ts";
import { transition } from "./transition.ts";

/** Why an attempt has to stop at once: it no longer owns the job. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  readonly refused: string;

  constructor(refused: string, options?: ErrorOptions) {
    super(`Cannot go on with the attempt: ${refused}`, options);
    this.refused = refused;
  }
}

/**
 * Renews lease and message every `beatMs` until `stop()`. A lease that can't be renewed, for whatever reason, aborts
 * `signal` with a `LeaseLost`: a worker that can't prove that it owns the job must not pay for it.
 */
export function heartbeat(
  { jobs, clock, policy }: { jobs: Jobs; clock: Clock; policy: Policy },
  claimed: RunningJob,
  message: Delivered,
): { signal: AbortSignal; stop(): Promise<void> } {
  const lost = new AbortController();
  const stopped = new AbortController();
  const beating = (async () => {
    let job: Job = claimed;
    for (;;) {
      await clock.sleep(policy.beatMs, stopped.signal);
      if (stopped.signal.aborted) return;
      try {
        const beat = await transition(
          jobs,
          job,
          { type: "beaten", at: clock.now(), fence: claimed.fence },
          policy,
        );
        if (beat.refused) return lost.abort(new LeaseLost(beat.refused));
        job = beat.job;
      } catch (error) {
        return lost.abort(new LeaseLost("beat_failed", { cause: error }));
      }
      try {
        await message.extend(policy.beatVisibilityMs);
      } catch {
        // The lease is the truth, the message a hint. SQS may have brought the message twice, and whoever found the
        // lease live has deleted it; or it returns too early, and is deleted then. Either way the job is ours.
      }
    }
  })();
  return {
    signal: lost.signal,
    async stop() {
      stopped.abort();
      await beating;
    },
  };
}
