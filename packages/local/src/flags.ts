import { parseArgs } from "node:util";

/** What `npm run dev` was asked for. */
export type Flags = {
  readonly port: number;
  readonly data: string | undefined;
  readonly stage: "local" | "test";
  readonly json: boolean;
  readonly sweepSeconds: number | undefined;
  readonly latencyMs: number | undefined;
  readonly allowLoopbackWebhooks: boolean;
  readonly help: boolean;
};

export const usage = `Runs Plantain on this machine: the functions, queues, tables and schedules that would be deployed.

  npm run dev -- [flags]

  --port N            where the API listens; default: the variable PORT, else 8787; 0 takes any free one
  --data DIR          keeps tables, images and the API key in DIR; without it they end with the process
  --stage NAME        local, or test with short timings; default: local
  --sweep-seconds N   how often minutely schedules run; default: 60, in stage test 2
  --latency-ms N      how long the Gemini simulator takes for an image; default: 3
  --allow-loopback-webhooks  lets URLs of webhooks and images name this machine, also by plain HTTP
  --json              one JSON line on stdout when ready, everything else on stderr
  --help              shows this

  GEMINI_API_KEY in the environment uses the real Gemini API, which bills you; without it a simulator draws the images.
  AWS_ENDPOINT_URL_DYNAMODB, _SQS or _S3 in the environment uses that server instead of the embedded one.`;

/**
 * Reads the command line. Throws, naming the flag and what it takes, for anything it does not know.
 * @param defaultPort the variable PORT, used without --port
 */
export function parseFlags(args: readonly string[], defaultPort: string | undefined): Flags {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      port: { type: "string" },
      data: { type: "string" },
      stage: { type: "string", default: "local" },
      json: { type: "boolean", default: false },
      "sweep-seconds": { type: "string" },
      "latency-ms": { type: "string" },
      "allow-loopback-webhooks": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { stage } = values;
  if (stage !== "local" && stage !== "test") {
    throw new Error(`Cannot use --stage "${stage}": give local or test; other stages are deployed`);
  }
  if (values.data === "") throw new Error('Cannot use --data "": give a folder');
  return {
    port: number(
      values.port === undefined ? "PORT" : "--port",
      values.port ?? (defaultPort || "8787"),
      0,
      65_535,
    ),
    data: values.data,
    stage,
    json: values.json,
    sweepSeconds: optionalNumber("--sweep-seconds", values["sweep-seconds"], 1, 3600),
    latencyMs: optionalNumber("--latency-ms", values["latency-ms"], 0, 600_000),
    allowLoopbackWebhooks: values["allow-loopback-webhooks"],
    help: values.help,
  };
}

function optionalNumber(
  flag: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined {
  return text === undefined ? undefined : number(flag, text, min, max);
}

function number(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new Error(`Cannot use ${flag} "${text}": give a whole number from ${min} to ${max}`);
  }
  return value;
}
