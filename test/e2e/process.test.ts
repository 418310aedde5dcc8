import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { clientOf } from "./client.ts";

/** The contract of the ready line. */
const Ready = z.strictObject({
  ready: z.literal(true),
  url: z.url(),
  apiKey: z.string().startsWith("plk_"),
  gemini: z.strictObject({ mode: z.literal("simulator"), url: z.url() }),
  aws: z.strictObject({ dynamodb: z.url(), sqs: z.url(), s3: z.url() }),
});

const main = join(import.meta.dirname, "../../packages/local/src/main.ts");
const children: ChildProcess[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "plantain-e2e-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

function run(...args: string[]) {
  const { GEMINI_API_KEY: _, ...env } = process.env;
  const child = spawn(process.execPath, [main, "--json", "--stage", "test", ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const out: string[] = [];
  createInterface(child.stdout).on("line", (line) => out.push(line));
  const exited = once(child, "exit").then(([code]: unknown[]) => code);
  return {
    child,
    out,
    exited,
    errors: () => errors,
    async ready() {
      for (let waited = 0; waited < 20_000; waited += 50) {
        const [line] = out;
        if (line !== undefined) return Ready.parse(JSON.parse(line));
        if (child.exitCode !== null) break;
        await sleep(50);
      }
      throw new Error(`Not ready: ${errors}`);
    },
  };
}

describe("the local system as a process", () => {
  it("says in one line when it is ready, and leaves nothing behind when it is told to stop", async () => {
    const system = run("--port", "0");
    const ready = await system.ready();
    expect((await fetch(`${ready.url}/healthz`)).status).toBe(200);
    system.child.kill("SIGTERM");
    expect(await system.exited).toBe(0);
    expect(system.out).toHaveLength(1);
    for (const url of [ready.url, ready.gemini.url, ...Object.values(ready.aws)]) {
      await expect(fetch(url), url).rejects.toThrow();
    }
  }, 30_000);

  it("killed in the middle of jobs and started again on its data, brings each to its end, once", async () => {
    const data = join(folder, "data");
    const first = run("--port", "0", "--data", data);
    const before = await first.ready();
    const client = clientOf(before);
    const done = await client.end((await client.submit({ prompt: "Done before" })).id);
    const open = await Promise.all(
      Array.from({ length: 8 }, (_, n) => client.submit({ prompt: `Interrupted ${n} [[sim:SLOW:1500]]` })),
    );
    while ((await client.read(open[0]?.id ?? "")).status === "queued") await sleep(20);
    first.child.kill("SIGKILL");
    await first.exited;

    const after = await run("--port", "0", "--data", data).ready();
    expect(after.apiKey).toBe(before.apiKey);
    const again = clientOf(after);
    for (const { id } of open) {
      const job = await again.end(id);
      expect(job).toMatchObject({ status: "succeeded", images: [{}] });
      expect((await fetch(job.images[0]?.url ?? "")).status).toBe(200);
    }
    const kept = await again.read(done.id);
    expect(kept.images[0]?.sha256).toBe(done.images[0]?.sha256);
    expect((await fetch(kept.images[0]?.url ?? "")).status).toBe(200);
  }, 90_000);

  it("says at once when the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const system = run("--port", String(port));
    expect(await system.exited).not.toBe(0);
    expect(system.errors()).toContain(`${port}`);
    expect(system.errors()).not.toContain("    at ");
    other.close();
  });

  it("says when --data can't be written, or is in use", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const blocked = run("--port", "0", "--data", file);
    expect(await blocked.exited).not.toBe(0);
    expect(blocked.errors()).toContain(file);

    const data = join(folder, "data");
    await run("--port", "0", "--data", data).ready();
    const second = run("--port", "0", "--data", data);
    expect(await second.exited).not.toBe(0);
    expect(second.errors()).toContain(data);
    expect((await readdir(data)).length).toBeGreaterThan(0);
  }, 30_000);
});
