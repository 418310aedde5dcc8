/**
 * Proves that no request reaches an address that isn't public: `npm run ssrf`. In a network namespace where every address
 * leads to a canary it runs the cases, then again with each guard taken out, which has to show. Exits 1 when a case or a
 * mutant comes out otherwise. Needs Linux, iproute2 and util-linux.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { evil, good } from "./cases.ts";
import { mutants, unguarded } from "./mutants.ts";
import { withMutant } from "./mutate.ts";
import { makeEveryAddressLocal, runInNamespace } from "./namespace.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

const { values } = parseArgs({ options: { outside: { type: "string" } } });
if (values.outside === undefined) process.exitCode = runInNamespace(import.meta.filename);
else {
  makeEveryAddressLocal(values.outside);
  process.exitCode = (await prove()) ? 0 : 1;
}

/** Whether all is as it should be. */
async function prove(): Promise<boolean> {
  const tally = { passed: 0, failed: 0 };
  const tell = (isRight: boolean, text: string) => {
    tally[isRight ? "passed" : "failed"] += 1;
    console.log(`${isRight ? "ok " : "NOT"} ${text}`);
  };

  const verdict = await run(join(import.meta.dirname, "run.ts"));
  for (const { case: each, result, isRight } of verdict.judged) {
    const what = [each.kind.padEnd(34), decodeURIComponent(each.url).padEnd(50), ...each.resolves.slice(-1)];
    const reached = isRight ? [] : result.connections.map((place) => `reached ${place}`);
    tell(isRight, [...what, ...result.outcomes.slice(-1), ...reached].join(" "));
  }
  console.log(`${evil.length} evil and ${good.length} good cases: ${counts(verdict)}`);

  const open = await withMutant(unguarded, run);
  tell(open.requests >= evil.length * 0.75, `${"without any guard".padEnd(34)}${counts(open)}`);
  for (const { name, guard, changes, shows } of mutants) {
    const mutated = await withMutant(changes, run);
    const isSeen = shows === "nothing" ? mutated.judged.every(({ isRight }) => isRight) : mutated[shows] > 0;
    tell(isSeen, `${name.padEnd(34)}${counts(mutated)} (${guard})`);
  }
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed === 0;
}

async function run(script: string): Promise<Verdict> {
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  return verdictOf(stdout);
}

function counts({ requests, connections, outcomes }: Verdict): string {
  return `${requests} sent a request where none may come, ${connections} connected there, ${outcomes} ended otherwise`;
}
