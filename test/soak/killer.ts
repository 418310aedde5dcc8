import { setTimeout as sleep } from "node:timers/promises";
import type { Print } from "@plantain/local/print";
import type { System } from "@plantain/local/system";
import { seededRandom } from "@plantain/memory/clock";

/** A worker's log line; one that a kill has cut doesn't match. */
const attemptEnded = /"message":"Attempt ended".*"jobId":"(\w+)".*"fence":(\d+)[,}]/;

/** How many attempts have come to an end, by what the workers log. It steers the killer, and proves nothing. */
export type Heard = {
  readonly print: Print;
  /** Attempts that ended in a living worker. */
  ended(): number;
  /** Attempts without an end whose job has come to a later one. */
  lost(): number;
};

export function listen(): Heard {
  const latest = new Map<string, number>();
  let ended = 0;
  let lost = 0;
  return {
    print(source, line) {
      const [, job, digits] = (source === "worker" && attemptEnded.exec(line)) || [];
      if (job === undefined) return;
      const fence = Number(digits);
      const before = latest.get(job) ?? 0;
      ended += 1;
      lost += Math.max(0, fence - before) - 1;
      latest.set(job, Math.max(fence, before));
    },
    ended: () => ended,
    lost: () => lost,
  };
}

/** Attempts that one kill ends, as long as nothing is known of that; weighs as much as so many kills. */
const expected = { attempts: 5, weight: 5 };
/** Kills that seem to end fewer hit threads that had hardly begun: more of those would leave nothing to kill. */
const fewest = 2;
/** So long after a kill its jobs have mostly come to a later attempt, which shows what it ended. */
const settledAfterMs = 30_000;
const longestPauseMs = 400;

/**
 * Ends worker threads in the middle of their work, at random moments, so that a share of all attempts ends with them.
 * @param share of attempts, between 0 and 1
 */
export function killWorkers(system: System, heard: Heard, share: number, seed: number) {
  const random = seededRandom(seed);
  const stopped = new AbortController();
  const kills: number[] = [];

  /** Attempts that should have been killed by now, less those that were, and will show. */
  const owed = () => {
    const settled = kills.filter((at) => at < Date.now() - settledAfterMs).length;
    const lost = heard.lost();
    const average = (lost + expected.attempts * expected.weight) / (settled + expected.weight);
    const each = Math.max(fewest, average);
    return (heard.ended() * share) / (1 - share) - lost - (kills.length - settled) * each - each / 2;
  };
  const killing = (async () => {
    for (;;) {
      const pauseMs = longestPauseMs * random.fraction();
      await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return kills.length;
      if (owed() > 0 && (await system.killFunction("worker"))) kills.push(Date.now());
    }
  })();
  return {
    /** @returns how many threads were killed */
    stop(): Promise<number> {
      stopped.abort();
      return killing;
    },
  };
}
