import { parseArgs } from "node:util";
import { type Simulator, type SimulatorOptions, startSimulator } from "./simulator.ts";

const usage = `Simulates Google's Gemini API for image models on this machine.

  node packages/local/src/simulator/main.ts [--port N] [--latency-ms N] [--seed N] [--json]

  --port N        where to listen; 8788 by default, 0 for a free port
  --latency-ms N  median time the model works; 1500 by default
  --seed N        repeats latencies, ids and random faults; 1 by default
  --json          print one line of JSON when ready, and nothing else
`;

/** Realistic in spread, but some ten times faster than the real models. */
const spread = 0.35;

function optionsFrom(args: readonly string[]): { options: SimulatorOptions; json: boolean; help: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: "string", default: "8788" },
      "latency-ms": { type: "string", default: "1500" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const latency = { medianMs: wholeNumber("latency-ms", values["latency-ms"]), sigma: spread };
  const port = wholeNumber("port", values.port);
  if (port > 65_535) throw new Error(`Cannot use --port "${values.port}": ports end at 65535`);
  const options = { port, latency, seed: wholeNumber("seed", values.seed) };
  return { options, json: values.json, help: values.help };
}

function wholeNumber(name: string, value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new Error(`Cannot use --${name} "${value}": give a whole number`);
}

function welcome(simulator: Simulator): string {
  return `Gemini simulator at ${simulator.url} — any API key that does not begin with "invalid" will do.

Use it    GOOGLE_GEMINI_BASE_URL=${simulator.url} GEMINI_API_KEY=any, or httpOptions.baseUrl of the SDK
Break it  write [[sim:NO_IMAGE]] or [[sim:RATE_LIMIT:47s*2]] into a prompt,
          or POST {"fault":"OVERLOADED","times":2} to ${simulator.url}/__sim/faults (GET lists every fault)
Audit it  GET ${simulator.url}/__sim/ledger shows each call, and whether it was billed
Stop it   Ctrl-C
`;
}

async function main(args: readonly string[]): Promise<void> {
  const { options, json, help } = optionsFrom(args);
  if (help) {
    process.stdout.write(usage);
    return;
  }
  const simulator = await startSimulator(options);
  process.stdout.write(
    json ? `${JSON.stringify({ ready: true, url: simulator.url })}\n` : welcome(simulator),
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void simulator.stop());
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
