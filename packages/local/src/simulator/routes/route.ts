import type { IncomingMessage, ServerResponse } from "node:http";
import type { Batches } from "../batches.ts";
import { type HttpReply, parseJson, readBody } from "../http.ts";
import { keyOf } from "../keys.ts";
import type { World } from "../world.ts";

/** One HTTP request on its way to a handler; `params` are the named groups of the route's path. */
export type Context = {
  world: World;
  batches: Batches;
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  params: Readonly<Record<string, string>>;
};

/** A route; a handler that has answered by itself gives null. */
export type Route = {
  method: string;
  path: RegExp;
  handle: (context: Context) => HttpReply | null | Promise<HttpReply | null>;
};

/** The API key of the request; throws a Refusal without a good one. */
export function requireKey({ world, request, url }: Context): string {
  return keyOf(request, url, world.keys);
}

/** The request's JSON, at most `limit` bytes of it. */
export async function jsonBody({ request }: Context, limit: number): Promise<unknown> {
  return parseJson(await readBody(request, limit));
}

/** 200 with a JSON body. */
export function ok(body: object): HttpReply {
  return { status: 200, body };
}
