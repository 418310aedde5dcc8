import { resolve } from "node:path";
import { banner, readyLine } from "./banner.ts";
import { type Flags, parseFlags, usage } from "./flags.ts";
import { printTo } from "./print.ts";
import type { System } from "./system.ts";

/** Ending takes a tenth of a second; what hangs for this long is left to the system. */
const endingLimitMs = 5000;

const parentCheckMs = 200;

/** `npm run dev`: starts the local system and runs it until Ctrl-C or SIGTERM. */
async function main(): Promise<void> {
  const flags = readFlags();
  if (flags.help) return console.log(usage);

  // With --json stdout belongs to the one line that says it is ready.
  const print = printTo(flags.json ? 2 : 1);
  const interrupted = new AbortController();
  // Ctrl-C under npm arrives twice, from the terminal and from npm: the second must not cut the ending short.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort());
  interrupted.signal.addEventListener("abort", () =>
    setTimeout(() => process.exit(1), endingLimitMs).unref(),
  );

  if (process.env.npm_lifecycle_event !== undefined) endWithParent(interrupted);

  // Loaded only now, so that a wrong flag and Ctrl-C are answered without delay.
  const { startSystem } = await import("./system.ts");
  const starting = startSystem({ ...flags, environment: process.env, print, signal: interrupted.signal });
  const system = await started(starting, interrupted.signal);
  if (system === undefined) return;
  console.log(flags.json ? readyLine(system) : banner(system, flags.data && resolve(flags.data)));
  if (!interrupted.signal.aborted) {
    await new Promise((ended) => interrupted.signal.addEventListener("abort", ended, { once: true }));
  }
  await system.stop();
}

/** Ending npm ends the shell it started us in, and no signal gets past that shell: its absence is the signal. */
function endWithParent(interrupted: AbortController): void {
  const parent = process.ppid;
  const watch = () => {
    if (process.ppid !== parent) interrupted.abort();
  };
  setInterval(watch, parentCheckMs).unref();
}

function readFlags(): Flags {
  try {
    return parseFlags(process.argv.slice(2), process.env.PORT);
  } catch (error) {
    console.error(`${message(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

/** The system, or undefined when the start was interrupted. Ends the process when it failed. */
async function started(starting: Promise<System>, signal: AbortSignal): Promise<System | undefined> {
  try {
    return await starting;
  } catch (error) {
    if (signal.aborted) return undefined;
    console.error(message(error));
    return process.exit(1);
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

await main();
// Whatever still lingers, as a connection that a client keeps open, has nothing left to do.
process.exit(0);
