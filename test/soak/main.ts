/**
 * Runs jobs through the local system in stage `test` while a share of all attempts is killed with their workers, or
 * Gemini refuses everything, and prints what came of it as JSON:
 * `npm run soak -- [--jobs N] [--kill-share 0.2] [--seed N] [--minutes N]`, or with `--storm-seconds N` instead of kills.
 * Tells on stderr how far it is. Exits 1 when a promise was broken.
 */
import { parseArgs } from "node:util";
import { startSystem } from "@plantain/local/system";
import { listen } from "./killer.ts";
import { broken, soak } from "./soak.ts";
import { storm } from "./storm.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "200" },
    "kill-share": { type: "string", default: "0.2" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "10" },
    "storm-seconds": { type: "string" },
  },
});

const heard = listen();
const system = await startSystem({
  port: 0,
  stage: "test",
  latencyMs: 100,
  environment: {},
  print: heard.print,
});
const jobs = Number(values.jobs);
const withinMs = Number(values.minutes) * 60_000;
const progress = setInterval(() => {
  const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.error(`${heard.ended()} attempts ended, ${heard.lost()} were killed; ${megabytes} MB`);
}, 30_000);
const isKept = () => (values["storm-seconds"] === undefined ? kill() : brew(Number(values["storm-seconds"])));
try {
  process.exitCode = (await isKept()) ? 0 : 1;
} finally {
  clearInterval(progress);
  await system.stop();
}

/** Whether every promise was kept while workers were killed. */
async function kill(): Promise<boolean> {
  const killShare = Number(values["kill-share"]);
  const report = await soak(system, heard, { jobs, killShare, seed: Number(values.seed), withinMs });
  const { paidAgain, ...rest } = report;
  const named = paidAgain.map(({ job, fence }) => `${job} fence ${fence}`);
  console.log(JSON.stringify({ ...rest, paidAgain: named }, null, 2));
  const isEven = rest.bill.surplusCalls === paidAgain.length && rest.bill.differenceNanoUsd === 0;
  return isEven && broken.every((list) => report[list].length === 0);
}

/** Whether every job came through a storm. */
async function brew(seconds: number): Promise<boolean> {
  const report = await storm(system, { jobs, seconds, withinMs });
  console.log(JSON.stringify(report, null, 2));
  return report.succeeded === jobs && report.overspent.length === 0 && report.deadLetters === 0;
}
