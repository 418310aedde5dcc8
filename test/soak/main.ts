/**
 * Runs jobs through the local system in stage `test` while its workers are killed, or Gemini refuses everything, and
 * prints what came of it as JSON: `npm run soak -- [--jobs N] [--kill-every-ms N] [--seed N] [--minutes N]`, or with
 * `--storm-seconds N` instead of kills. Exits 1 when a promise was broken.
 */
import { parseArgs } from "node:util";
import { startSystem } from "@plantain/local/system";
import { soak } from "./soak.ts";
import { storm } from "./storm.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "200" },
    "kill-every-ms": { type: "string", default: "1500" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "10" },
    "storm-seconds": { type: "string" },
  },
});

const system = await startSystem({
  port: 0,
  stage: "test",
  latencyMs: 100,
  environment: {},
  print: () => undefined,
});
const jobs = Number(values.jobs);
const withinMs = Number(values.minutes) * 60_000;
const isKept = () => (values["storm-seconds"] === undefined ? kill() : brew(Number(values["storm-seconds"])));
try {
  process.exitCode = (await isKept()) ? 0 : 1;
} finally {
  await system.stop();
}

/** Whether every promise was kept while workers were killed. */
async function kill(): Promise<boolean> {
  const killEveryMs = Number(values["kill-every-ms"]);
  const report = await soak(system, { jobs, killEveryMs, seed: Number(values.seed), withinMs });
  console.log(JSON.stringify({ ...report, paidAgain: report.paidAgain.length }, null, 2));
  const { lost, stuck, failed, committedTwice, wrongImage, untold, unexplained, atRest } = report;
  return [lost, stuck, failed, committedTwice, wrongImage, untold, unexplained, atRest].every(
    ({ length }) => length === 0,
  );
}

/** Whether every job came through a storm. */
async function brew(seconds: number): Promise<boolean> {
  const report = await storm(system, { jobs, seconds, withinMs });
  console.log(JSON.stringify(report, null, 2));
  return report.succeeded === jobs && report.overspent.length === 0 && report.deadLetters === 0;
}
