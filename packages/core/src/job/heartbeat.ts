import type { Clock } from "../clock.ts";
import type { OwnJob } from "./own-job.ts";
import type { Policy } from "./policy.ts";
import type { Delivered } from "./ports.ts";

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
  { clock, policy }: { clock: Clock; policy: Policy },
  { claimed: { fence }, tell }: OwnJob,
  message: Delivered,
): { signal: AbortSignal; stop(): Promise<void> } {
  const lost = new AbortController();
  const stopped = new AbortController();
  const beating = (async () => {
    for (;;) {
      await clock.sleep(policy.beatMs, stopped.signal);
      if (stopped.signal.aborted) return;
      try {
        const beat = await tell({ type: "beaten", at: clock.now(), fence });
        if (beat.refused) return lost.abort(new LeaseLost(beat.refused));
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
