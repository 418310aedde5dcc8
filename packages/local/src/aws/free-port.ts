import { once } from "node:events";
import { createServer } from "node:net";

/** A port of 127.0.0.1 that is free now, for a server that cannot tell which one it took by itself. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("Cannot find a free port");
  return address.port;
}
