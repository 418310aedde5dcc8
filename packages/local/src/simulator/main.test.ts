import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as z from "zod";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const run = (...args: readonly string[]) => spawn(process.execPath, [main, ...args]);

async function output(child: ChildProcessWithoutNullStreams): Promise<{ text: string; code: unknown }> {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  const [code] = await once(child, "close");
  return { text, code };
}

describe("the command", () => {
  it("prints one line of JSON when ready, refuses a taken port, and ends cleanly on SIGTERM", async () => {
    const child = run("--port", "0", "--json");
    const finished = output(child);
    const [line] = await once(child.stdout, "data");
    const ready = z.object({ ready: z.literal(true), url: z.url() }).parse(JSON.parse(String(line)));
    expect((await fetch(`${ready.url}/__sim/health`)).status).toBe(200);

    const { port } = new URL(ready.url);
    const second = await output(run("--port", port));
    expect(second.code).toBe(1);
    expect(second.text).toBe(
      `Cannot listen on port ${port} of "127.0.0.1": it is in use; choose another, or 0 for a free one\n`,
    );

    child.kill("SIGTERM");
    const { text, code } = await finished;
    expect([text.split("\n").length, code]).toEqual([2, 0]);
  }, 20_000);

  it("says what is wrong with its arguments", async () => {
    const { text, code } = await output(run("--latency-ms", "soon"));
    expect([text, code]).toEqual(['Cannot use --latency-ms "soon": give a whole number\n', 1]);
  }, 20_000);
});
