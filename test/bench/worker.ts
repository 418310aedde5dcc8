import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as z from "zod";

/*
 * The worker's data path against the one that one writes with @google/genai and @aws-sdk/client-s3 as they come: fetch a
 * picture from Gemini, store it in S3. Each figure is the median of fresh processes; both paths of a row run in turn,
 * against a stub of both services in a process of its own.
 *
 * npm run bench:worker -- [--rounds 3] [--pace <MB/s per answer>] [--sizes 1,4,8,24] [--parallel 1,5,10]
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    pace: { type: "string", default: "0" },
    sizes: { type: "string", default: "1,4,8,24" },
    parallel: { type: "string", default: "1,5,10" },
  },
});

const Measured = z.object({ peakMb: z.number(), cpuMs: z.number(), wallMs: z.number(), stallMs: z.number() });
type Measured = z.infer<typeof Measured>;
const Port = z.object({ port: z.number() });

function start(file: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ...environment },
  });
}

/** The first message of a child. */
async function told<T>(child: ChildProcess, schema: z.ZodType<T>): Promise<T> {
  const [message] = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`Cannot measure: the process ended with ${code}`);
    }),
  ]);
  return schema.parse(message);
}

async function measure(path: string, megabytes: number, parallel: number, url: string): Promise<Measured> {
  const images = String(Math.max(parallel, megabytes >= 8 ? 10 : 20));
  const model = `draws-${megabytes}-at-${options.pace}`;
  const child = start("worker-path.ts", [path, model, String(parallel), images, url], {
    NODE_COMPILE_CACHE: join(tmpdir(), "plantain-bench"), // or stripping types would be measured, which nothing deployed does
    AWS_ENDPOINT_URL_S3: url,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
  });
  const measured = await told(child, Measured);
  await once(child, "exit");
  return measured;
}

function median(of: readonly Measured[], figure: keyof Measured): number {
  const sorted = of.map((measured) => measured[figure]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function medians(of: readonly Measured[]): Measured {
  return {
    peakMb: median(of, "peakMb"),
    cpuMs: median(of, "cpuMs"),
    wallMs: median(of, "wallMs"),
    stallMs: median(of, "stallMs"),
  };
}

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell) => (typeof cell === "number" ? cell.toFixed(0) : cell).padStart(9)).join("");
}

function verdict(target: string, isMet: boolean): string {
  return `${isMet ? "met   " : "MISSED"}  ${target}`;
}

const stub = start("gemini-and-s3.ts", []);
const { port } = await told(stub, Port);
const url = `http://127.0.0.1:${port}`;
const verdicts: string[] = [];

for (const path of ["plain", "plantain"]) await measure(path, 1, 1, url); // fills the cache of compiled code
console.log(row(["", "", "plain", "", "", "", "plantain", "", "", "", "plantain/plain", ""]));
console.log(
  row([
    "image MB",
    "parallel",
    "RSS MB",
    "CPU ms",
    "wall ms",
    "stall",
    "RSS MB",
    "CPU ms",
    "wall ms",
    "stall",
    "RSS",
    "CPU",
  ]),
);
for (const megabytes of options.sizes.split(",").map(Number)) {
  for (const parallel of options.parallel.split(",").map(Number)) {
    const plain: Measured[] = [];
    const ours: Measured[] = [];
    for (let round = 0; round < Number(options.rounds); round += 1) {
      plain.push(await measure("plain", megabytes, parallel, url));
      ours.push(await measure("plantain", megabytes, parallel, url));
    }
    const a = medians(plain);
    const b = medians(ours);
    const ratios = [(b.peakMb / a.peakMb).toFixed(2), (b.cpuMs / a.cpuMs).toFixed(2)];
    console.log(
      row([
        megabytes,
        parallel,
        a.peakMb,
        a.cpuMs,
        a.wallMs,
        a.stallMs,
        b.peakMb,
        b.cpuMs,
        b.wallMs,
        b.stallMs,
        ...ratios,
      ]),
    );
    if (megabytes === 24 && parallel === 10) {
      verdicts.push(
        verdict("10 pictures of 24 MB at once take at most 400 MB", b.peakMb <= 400),
        verdict("and at most 0.6 of the plain path's CPU", b.cpuMs <= 0.6 * a.cpuMs),
        verdict("and stall the event loop for less than 100 ms", b.stallMs < 100),
      );
    }
  }
}
console.log(["", ...verdicts].join("\n"));
stub.disconnect();
