import type { Clock, Random } from "../clock.ts";

const firstWaitMs = 100;
const longestWaitMs = 5_000;

/**
 * Repeats a write that must not be lost to a passing fault, with full jitter, until it succeeds or `signal` aborts:
 * while the lease holds and the function has time. Only for writes that are safe to repeat.
 */
export async function insist<T>(
  { clock, random }: { clock: Clock; random: Random },
  signal: AbortSignal,
  write: () => Promise<T>,
): Promise<T> {
  for (let spent = 1; ; spent += 1) {
    try {
      return await write();
    } catch (error) {
      if (signal.aborted) throw error;
      await clock.sleep(
        random.fraction() * Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(spent, 20)),
        signal,
      );
      if (signal.aborted) throw error;
    }
  }
}
