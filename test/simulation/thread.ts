import { parentPort } from "node:worker_threads";
import { type Order, runSeeds } from "./seeds.ts";

/* One of the threads among which seeds are shared out: runs each order that comes in and sends back its tally. */

parentPort?.on("message", (order: Order) => {
  void runSeeds(order).then((tally) => parentPort?.postMessage(tally));
});
