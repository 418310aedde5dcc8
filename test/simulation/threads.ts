import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { addUp, type Order, type Tally } from "./seeds.ts";

/** How seeds are shared out among threads. */
export type Sharing = {
  readonly workers?: number;
  /** Where the sources are; a mutant's are elsewhere. */
  readonly folder?: string;
  /** Whether the first seed with a violation is enough. */
  readonly stopAtFirst?: boolean;
};

const here = import.meta.dirname;
const seedsAtOnce = 25;
/** Fewer where the first violation ends it all. */
const seedsAtOnceToFirst = 5;

/** Runs seeds on several threads. */
export async function runOnThreads(order: Order, sharing: Sharing = {}): Promise<Tally> {
  const { from, count } = order;
  const size = sharing.stopAtFirst ? seedsAtOnceToFirst : seedsAtOnce;
  const orders: Order[] = [];
  for (let first = from; first < from + count; first += size)
    orders.push({ ...order, from: first, count: Math.min(size, from + count - first) });
  return addUp(await runOrders(orders, sharing));
}

/**
 * Shares orders out among threads, each in plain Node whatever runs the caller. Which thread takes which, and when,
 * changes nothing: each seed is a world of its own.
 * @returns the tallies of those that were run, in the order of the orders
 */
export async function runOrders(
  orders: readonly Order[],
  { workers = availableParallelism(), folder = here, stopAtFirst = false }: Sharing = {},
): Promise<readonly Tally[]> {
  const waiting = [...orders.entries()];
  const tallies = new Map<number, Tally>();
  const next = () => {
    const isEnough = stopAtFirst && [...tallies.values()].some(({ failing }) => failing.length > 0);
    return isEnough ? undefined : waiting.shift();
  };

  async function work(): Promise<void> {
    const thread = new Worker(join(folder, "thread.ts"), { execArgv: [] });
    try {
      for (let taken = next(); taken; taken = next()) {
        const [place, order] = taken;
        tallies.set(place, await ask(thread, order));
      }
    } finally {
      await thread.terminate();
    }
  }
  await Promise.all(Array.from({ length: Math.min(workers, orders.length) }, work));
  return [...tallies].sort(([a], [b]) => a - b).map(([, tally]) => tally);
}

function ask(thread: Worker, order: Order): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const onError = (cause: unknown) =>
      reject(new Error(`Cannot run seeds ${order.from} to ${order.from + order.count - 1}`, { cause }));
    thread.once("error", onError);
    thread.once("message", (tally: Tally) => {
      thread.off("error", onError);
      resolve(tally);
    });
    thread.postMessage(order);
  });
}
