import { setTimeout as sleep } from "node:timers/promises";

const tries = 6;
const firstWaitMs = 20;

/**
 * Repeats a request that lost to a concurrent transaction on the same item: DynamoDB refuses both and decides nothing,
 * and the SDK doesn't retry that. Everything else, and a conflict that doesn't end, is thrown.
 */
export async function whileContended<T>(
  isContention: (error: unknown) => boolean,
  request: () => Promise<T>,
): Promise<T> {
  for (let spent = 1; ; spent += 1) {
    try {
      return await request();
    } catch (error) {
      if (spent >= tries || !isContention(error)) throw error;
      await sleep(Math.random() * firstWaitMs * 2 ** spent);
    }
  }
}
