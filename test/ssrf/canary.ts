import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { Certificate } from "@plantain/http/fixtures/certificate";
import { publicAddresses } from "./cases.ts";

/** What came to addresses and ports where nothing may come, as `127.0.0.1:443`. */
export type Seen = { readonly connections: string[]; readonly requests: string[] };

export type Canary = {
  /** What has come since it was last asked. */
  take(): Seen;
  close(): void;
};

const plainPorts = [80, 9001];
const tlsPorts = [443, 6379, 8443];
const publicPorts = [443, 8443];

/** Listens at every address there is, and tells what shouldn't have come. */
export async function canary(certificate: Certificate): Promise<Canary> {
  let seen: Seen = { connections: [], requests: [] };
  const listener: RequestListener = ({ socket, url = "" }, response) => {
    const place = forbidden(socket);
    if (place !== null) seen.requests.push(place);
    const { pathname, searchParams } = new URL(url, "https://example.org");
    if (pathname === "/file") response.end("file");
    else if (pathname !== "/redirect") response.writeHead(204).end();
    else {
      const location = searchParams.get("to") ?? "";
      response.writeHead(Number(searchParams.get("status")), { location }).end();
    }
  };
  const servers = [
    ...plainPorts.map((port) => createServer(listener).listen(port, "::")),
    ...tlsPorts.map((port) => createTlsServer(certificate, listener).listen(port, "::")),
  ];
  for (const server of servers) {
    server.on("connection", (socket: Socket) => {
      const place = forbidden(socket);
      if (place !== null) seen.connections.push(place);
    });
  }
  await Promise.all(servers.map((server) => once(server, "listening")));
  return {
    take() {
      const taken = seen;
      seen = { connections: [], requests: [] };
      return taken;
    },
    close() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/** Where a connection came to; `null`: it may come there. */
function forbidden({ localAddress = "", localPort = 0 }: Socket): string | null {
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, "");
  const isPublic = publicAddresses.some((each) => each === address);
  return isPublic && publicPorts.includes(localPort) ? null : `${address}:${localPort}`;
}
