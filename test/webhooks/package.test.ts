import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { newSecret, signedHeaders } from "@plantain/core/webhook/signature";
import { expect, it, onTestFinished } from "vitest";

const root = resolve(import.meta.dirname, "../..");

it("the client works as JavaScript in a project that has nothing else, and its types do", () => {
  const project = mkdtempSync(join(tmpdir(), "plantain-client-"));
  onTestFinished(() => rmSync(project, { recursive: true }));
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" });
  run(join(root, "packages/client/build.ts"), join(project, "node_modules/@plantain/client"));
  const manifest = readFileSync(join(project, "node_modules/@plantain/client/package.json"), "utf8");
  expect(JSON.parse(manifest)).not.toHaveProperty("dependencies");

  const secret = newSecret(new Uint8Array(32).fill(1));
  const data = { object: "ping", endpoint: "ep_1" };
  const body = JSON.stringify({ type: "ping", timestamp: "2026-11-01T00:00:00.000Z", data });
  const timestampSeconds = 1_790_000_000;
  const headers = signedHeaders({ id: "msg_1", timestampSeconds, body, secrets: [secret], signingKeys: [] });
  const source = `
    import { verifyWebhook } from "@plantain/client/webhook";
    const now = ${timestampSeconds * 1000};
    const event = verifyWebhook(${JSON.stringify(body)}, ${JSON.stringify(headers)}, "${secret}", { now });
    console.log(event.type === "job.failed" ? event.data.error.code : event.id);`;
  writeFileSync(join(project, "receiver.mjs"), source);
  expect(run("receiver.mjs")).toBe("msg_1\n");

  const mistyped =
    "\nif (event.type === 'job.failed') event.data.error.code = 7;\nconst seconds: number = event.timestamp;";
  const check = (name: string) =>
    run(
      join(root, "node_modules/typescript/bin/tsc"),
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--lib",
      "es2023,dom",
      name,
    );
  writeFileSync(join(project, "receiver.mts"), source);
  expect(check("receiver.mts")).toBe("");
  writeFileSync(join(project, "mistyped.mts"), source + mistyped);
  expect(() => check("mistyped.mts")).toThrowError(
    expect.objectContaining({ stdout: expect.stringMatching(/'code'[\s\S]*'number'/) }),
  );
}, 30_000);
