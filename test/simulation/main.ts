import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import * as z from "zod";
import { judge } from "./judge.ts";
import { mutantNamed, mutants } from "./mutants/all.ts";
import { mutatedCopy } from "./mutate.ts";
import { faultKinds } from "./profile.ts";
import { aimed, profileNames } from "./profiles.ts";
import { report } from "./report.ts";
import { runOnThreads } from "./threads.ts";

/* The simulation from the command line: `npm run simulate -- --seeds 20000`, or one seed again with `--trace`. */

const usage = `Runs seeds of the simulated system and says which of them broke a promise.

  --seeds N        how many seeds to run (default 2000)
  --from S         the first of them (default 1)
  --profile NAME   what goes wrong, and how much of it (default default):
                   ${profileNames.join(", ")}
  --fault KIND     only this fault, and only at the effect that --at names:
                   ${faultKinds.join(", ")}
  --at EFFECT      as "jobs.write.succeeded" or "objects.put"
  --mutant NAME    run the code with a guard taken out, or with several: NAME+NAME;
                   "all" judges every mutant there is
  --trace          tell every step
  --workers N      threads (default: one per core)
`;

const Whole = z.coerce.number().int().positive();
const Options = z.object({
  seeds: Whole.default(2_000),
  from: Whole.default(1),
  profile: z.enum(profileNames).default("default"),
  fault: z.enum(faultKinds).optional(),
  at: z.string().optional(),
  mutant: z.string().optional(),
  trace: z.boolean().default(false),
  workers: Whole.default(availableParallelism()),
  help: z.boolean().default(false),
});

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string" },
    profile: { type: "string" },
    fault: { type: "string" },
    at: { type: "string" },
    mutant: { type: "string" },
    trace: { type: "boolean" },
    workers: { type: "string" },
    help: { type: "boolean" },
  },
});
const options = Options.parse(values);
if (options.help) console.log(usage);
else process.exitCode = (await (options.mutant === "all" ? judgeAll() : run(options))) ? 0 : 1;

/** Whether every promise was kept. */
async function run(chosen: z.infer<typeof Options>): Promise<boolean> {
  const { seeds, from, profile, trace, workers, mutant, fault, at } = chosen;
  const startedAt = performance.now();
  const changes = mutant?.split("+").flatMap((name) => mutantNamed(name).changes);
  const copy = changes && (await mutatedCopy(changes));
  const aim = fault && at ? aimed(at, fault) : null;
  try {
    const tally = await runOnThreads(
      { from, count: seeds, profile: aim ?? profile, trace },
      { workers: trace ? 1 : workers, ...(copy ? { folder: copy.simulation } : {}) },
    );
    const wallMs = performance.now() - startedAt;
    console.log(report(tally, { from, profile, fault, at, mutant }, wallMs));
    return tally.failing.length === 0;
  } finally {
    await copy?.remove();
  }
}

/** Whether every mutant came to the end that it should. */
async function judgeAll(): Promise<boolean> {
  let isAsFated = true;
  for (const mutant of mutants) {
    const verdict = await judge(mutant);
    isAsFated &&= verdict.isAsFated;
    console.log(
      `${verdict.isAsFated ? "ok " : "NOT"} ${mutant.name.padEnd(26)}${mutant.profile.padEnd(10)}${verdict.text}`,
    );
  }
  return isAsFated;
}
