import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Batches } from "./batches.ts";
import { ClientLeft, noSuchPath, send } from "./http.ts";
import { internalError, Refusal } from "./refusal.ts";
import { adminRoutes } from "./routes/admin-routes.ts";
import { batchRoutes } from "./routes/batch-routes.ts";
import { fileRoutes } from "./routes/file-routes.ts";
import { generateRoutes } from "./routes/generate-routes.ts";
import { modelRoutes } from "./routes/model-routes.ts";
import type { Route } from "./routes/route.ts";
import type { World } from "./world.ts";

/** The first match counts: `modelRoutes` ends with what refuses every other method of a model. */
const routes: readonly Route[] = [
  ...generateRoutes,
  ...batchRoutes,
  ...fileRoutes,
  ...modelRoutes,
  ...adminRoutes,
];

/** The HTTP server of a simulator, not yet listening. */
export function createSimulatorServer(world: World, batches: Batches): Server {
  const server = createServer((request, response) => {
    handle(world, batches, request, response).catch((error: unknown) => {
      console.error(`The simulator broke at ${request.method} ${request.url}`, error);
      if (response.headersSent) response.destroy();
      else send(response, internalError());
    });
  });
  // Longer than any client keeps an idle connection, so that no reuse meets a close by chance.
  server.keepAliveTimeout = 120_000;
  // A large upload from a slow client is no reason to cut it off.
  server.requestTimeout = 0;
  return server;
}

async function handle(
  world: World,
  batches: Batches,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://simulator");
  try {
    const { route, params } = routeOf(request.method ?? "", url.pathname);
    const reply = await route.handle({ world, batches, request, response, url, params });
    if (reply !== null) send(response, reply);
  } catch (error) {
    if (error instanceof ClientLeft) return;
    if (!(error instanceof Refusal)) throw error;
    send(response, error.reply);
  }
}

function routeOf(method: string, path: string): { route: Route; params: Readonly<Record<string, string>> } {
  for (const route of routes) {
    const match = route.method === method ? route.path.exec(path) : null;
    if (match !== null) return { route, params: match.groups ?? {} };
  }
  throw noSuchPath(path);
}
