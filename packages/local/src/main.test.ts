import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

async function run(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { out, err, code };
}

test("a wrong flag ends it with the usage", async () => {
  const { out, err, code } = await run("--prot", "1");
  expect({ out, code }).toEqual({ out: "", code: 2 });
  expect(err).toContain("'--prot'");
  expect(err).toContain("--port N");
});

test("--help explains the flags", async () => {
  const { out, code } = await run("--help");
  expect(code).toBe(0);
  expect(out).toContain("--sweep-seconds N");
});

test("a taken port ends it at once, before anything is built", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { out, err, code } = await run("--json", "--port", String(port));
  expect({ out, code }).toEqual({ out: "", code: 1 });
  expect(err).toBe(
    `Cannot listen on port ${port}: another process listens there; stop it, or choose another port with --port\n`,
  );
});
