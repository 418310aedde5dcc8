import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

export type DynamodbServer = { readonly url: string; stop(): Promise<void> };

/** How long the server may take to listen: it usually does within a tenth of a second. */
const startLimitMs = 10_000;

/**
 * `"$@"` is the server. Descriptor 3 is a pipe that only this process holds: when it closes, even by `kill -9`, the
 * server is stopped, so that none is ever left behind with the tables open.
 */
const guardedCommand =
  '"$@" & server=$!; { cat <&3 >/dev/null; kill "$server"; } 2>/dev/null & wait "$server"';

/**
 * Starts the embedded DynamoDB on a free port of 127.0.0.1.
 * @param file where tables are kept; without it they are in memory
 * Throws, naming the alternative, when there is none for this platform.
 */
export async function startDynamodb(file?: string): Promise<DynamodbServer> {
  const port = await freePort();
  const serve = ["serve", "--host", "127.0.0.1", "--port", String(port)];
  const child = spawn(
    "/bin/sh",
    [
      "-c",
      guardedCommand,
      "dynamodb",
      executable(),
      ...serve,
      ...(file === undefined ? [] : ["--db-path", file]),
    ],
    { stdio: ["ignore", "ignore", "pipe", "pipe"] },
  );
  let complaint = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaint = `${complaint}${text}`.slice(-2000);
  });
  const exited = once(child, "exit");
  const letGo = () => child.stdio[3]?.destroy();
  void exited.then(letGo);

  const deadline = Date.now() + startLimitMs;
  while (!(await listens(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      letGo();
      throw new Error(`Cannot start the embedded DynamoDB: ${complaint.trim() || "it does not listen"}`);
    }
    await sleep(10);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      letGo();
      await exited;
    },
  };
}

function executable(): string {
  const { platform, arch } = process;
  try {
    return createRequire(import.meta.url).resolve(`@dynoxide/${platform}-${arch}/dynoxide`);
  } catch (cause) {
    throw new Error(
      `Cannot find the embedded DynamoDB for ${platform}-${arch}: package "@dynoxide/${platform}-${arch}" is not installed. ` +
        "Run DynamoDB Local instead (java -jar DynamoDBLocal.jar -sharedDb -inMemory -port 8000) " +
        "and set AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000",
      { cause },
    );
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
