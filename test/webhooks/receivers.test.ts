import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { newSecret, type Secret, signedHeaders } from "@plantain/core/webhook/signature";
import { wireJob } from "@plantain/functions/api/wire";
import { sampleJob, sampleRequest } from "@plantain/memory/samples";
import { memorySignedUrls } from "@plantain/memory/signed-urls";
import { describe, expect, it, onTestFinished } from "vitest";

/*
 * The receivers that README.md shows run here as their readers would run them, each in a process of its own.
 */

const root = resolve(import.meta.dirname, "../..");
const secret = newSecret(new Uint8Array(32).fill(1));

const record = { job: sampleJob(), request: sampleRequest(), result: null, attempts: [] };
const shown = await wireJob(record, memorySignedUrls, 0);
const job = { ...shown, status: "succeeded", truncated: [] };
const body = JSON.stringify({ type: "job.succeeded", timestamp: "2026-11-01T00:00:00.000Z", data: job });

describe.each(["hono", "express"])("the %s receiver", (name) => {
  const path = join("examples/receivers", `${name}.ts`);

  it("stands in README.md as it runs", () => {
    const shown = readFileSync(join(root, "README.md"), "utf8").match(/(?<=```ts\n)[\s\S]*?(?=```)/g);
    expect(shown).toContain(readFileSync(join(root, path), "utf8"));
  });

  it("acts once on a true event, however often it comes", async () => {
    const { url, said } = await start(path);
    for (const _ of [1, 2, 3]) {
      expect((await send(url, { id: "msg_1" })).status).toBe(204);
    }
    expect((await send(url, { id: "msg_2" })).status).toBe(204);
    await expect.poll(() => said).toEqual([`${job.id} has 0 images`, `${job.id} has 0 images`]);
  });

  it("acts on nothing else, and says why", async () => {
    const { url, said } = await start(path);
    const late = Math.floor(Date.now() / 1000) - 600;
    const other = newSecret(new Uint8Array(32).fill(2));
    for (const [about, code] of [
      [{ by: other }, "no_matching_signature"],
      [{ sent: `${body} ` }, "no_matching_signature"],
      [{ at: late }, "timestamp_too_old"],
      [{ headers: {} }, "missing_header"],
    ] as const) {
      const answer = await send(url, { id: "msg_1", ...about });
      expect([answer.status, await answer.text()]).toEqual([400, code]);
    }
    expect((await send(url, { id: "msg_1" })).status).toBe(204);
    await expect.poll(() => said).toEqual([`${job.id} has 0 images`]);
  });
});

/** A receiver that listens, and what it says afterwards. */
async function start(path: string) {
  const receiver = spawn(process.execPath, [path], {
    cwd: root,
    env: { PLANTAIN_WEBHOOK_SECRET: secret, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    if (receiver.exitCode === null) {
      receiver.kill();
      await once(receiver, "exit");
    }
  });
  const lines = createInterface(receiver.stdout);
  const [first] = await once(lines, "line");
  const said: string[] = [];
  lines.on("line", (line) => said.push(line));
  return { url: String(first).replace("Listening on ", ""), said };
}

type Sending = { id: string; by?: Secret; at?: number; sent?: string; headers?: Record<string, string> };

function send(url: string, { id, by = secret, at, sent = body, headers }: Sending): Promise<Response> {
  const timestampSeconds = at ?? Math.floor(Date.now() / 1000);
  const signed = signedHeaders({ id, timestampSeconds, body, secrets: [by], signingKeys: [] });
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(headers ?? signed) },
    body: sent,
  });
}
