import type { IncomingMessage } from "node:http";
import type { FunctionPool } from "../lambda/pool.ts";
import { type Answer, gatewayAnswer, jsonAnswer } from "./answer.ts";
import type { WebhookInbox } from "./webhook-inbox.ts";

/**
 * Routes under `/__dev/` that exist only locally.
 * `GET /__dev/functions` lists threads and events in flight by function; `POST /__dev/functions/{name}/kill` ends one
 * busy thread at once (404 for an unknown name, 409 when none is busy).
 * `/__dev/webhooks` is a receiver to try webhooks with.
 * @returns undefined for a path that is none of them
 */
export async function answerDevRoute(
  { method, url = "/", headers }: IncomingMessage,
  body: Buffer,
  pools: readonly FunctionPool[],
  inbox: WebhookInbox,
): Promise<Answer | undefined> {
  const [path = "/"] = url.split("?");
  if (!path.startsWith("/__dev/")) return undefined;
  if (/^\/__dev\/webhooks(\/|$)/.test(path)) return inbox.answer({ method, url, headers, body });
  if (method === "GET" && path === "/__dev/functions") {
    return jsonAnswer(200, { functions: pools.map((pool) => pool.status()) });
  }
  const [, name] = /^\/__dev\/functions\/([^/]+)\/kill$/.exec(path) ?? [];
  if (method === "POST" && name !== undefined) {
    const pool = pools.find((each) => each.name === name);
    if (pool === undefined) return gatewayAnswer(404, `Function "${name}" is unknown`);
    return (await pool.kill())
      ? jsonAnswer(200, { killed: name })
      : gatewayAnswer(409, `No thread of function "${name}" is busy`);
  }
  return gatewayAnswer(404, "Not Found");
}
