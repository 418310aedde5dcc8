/**
 * Runs jobs through the local system in stage `test` while its workers are killed, and prints what came of it as JSON:
 * `npm run soak -- [--jobs N] [--kill-every-ms N] [--seed N] [--minutes N]`. Exits 1 when a promise was broken.
 */
import { parseArgs } from "node:util";
import { startSystem } from "@plantain/local/system";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "200" },
    "kill-every-ms": { type: "string", default: "1500" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "10" },
  },
});

const system = await startSystem({
  port: 0,
  stage: "test",
  latencyMs: 100,
  environment: {},
  print: () => undefined,
});
try {
  const report = await soak(system, {
    jobs: Number(values.jobs),
    killEveryMs: Number(values["kill-every-ms"]),
    seed: Number(values.seed),
    withinMs: Number(values.minutes) * 60_000,
  });
  console.log(JSON.stringify({ ...report, paidAgain: report.paidAgain.length }, null, 2));
  const { lost, stuck, failed, committedTwice, wrongImage, untold, unexplained } = report;
  const broken = [lost, stuck, failed, committedTwice, wrongImage, untold, unexplained].some(
    ({ length }) => length > 0,
  );
  process.exitCode = broken ? 1 : 0;
} finally {
  await system.stop();
}
