import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { LockHeld, takeLock } from "./lock.ts";

const root = join(import.meta.dirname, "../../..");

/**
 * Bundles the functions and synthesizes the CDK app for `stage` into `outdir`, as a deployment does.
 * Throws with what esbuild or CDK printed when either fails.
 */
export async function synthesize(stage: string, outdir: string, signal?: AbortSignal): Promise<void> {
  const release = await takeTurn(signal);
  try {
    await node("functions/build.ts", {}, signal);
    await node(
      "infra/app.ts",
      { CDK_CONTEXT_JSON: JSON.stringify({ stage }), CDK_OUTDIR: outdir, CDK_VALIDATION: "false" },
      signal,
    );
  } finally {
    release();
  }
}

/** All instances bundle into the same `dist`; one that reads it while another writes would run half a function. */
async function takeTurn(signal?: AbortSignal): Promise<() => void> {
  const folder = join(root, ".plantain");
  mkdirSync(folder, { recursive: true });
  for (;;) {
    try {
      return takeLock(join(folder, "build.lock"));
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      await sleep(50, undefined, signal === undefined ? {} : { signal });
    }
  }
}

async function node(
  script: string,
  environment: Record<string, string>,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(process.execPath, [script], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Its own `signal` option would not wait for the end, and what still runs writes into folders being removed.
  const kill = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", kill);
  const [printed, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  signal?.removeEventListener("abort", kill);
  signal?.throwIfAborted();
  if (code !== 0) throw new Error(`Cannot run ${script}:\n${(complaint || printed).trim()}`);
}
