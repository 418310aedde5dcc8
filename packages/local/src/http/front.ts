import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FunctionPool } from "../lambda/pool.ts";
import type { Print } from "../print.ts";
import { type Answer, answerOf, gatewayAnswer } from "./answer.ts";
import { type Front, gatewayEvent } from "./event.ts";

/** Bytes of a request body that API Gateway takes. */
const bodyLimit = 10 * 1024 * 1024;

/** What answers requests once everything is up. */
export type Answerer = Front & {
  readonly pool: FunctionPool;
  /** How long the gateway waits for the function. */
  readonly timeoutMs: number;
  /** Routes of the local runtime itself, asked first. */
  readonly intercept?: (request: IncomingMessage, body: Buffer) => Promise<Answer | undefined>;
};

export type HttpFront = {
  readonly url: string;
  /** Until then every request is answered 503. */
  open(answerer: Answerer): void;
  stop(): Promise<void>;
};

/**
 * Listens on 127.0.0.1 in place of API Gateway. Port 0 takes any free one.
 * Throws, saying what to do, when the port is taken.
 */
export async function startFront(port: number, print: Print): Promise<HttpFront> {
  let answerer: Answerer | undefined;
  const server = createServer((request, response) => {
    void answer(request, answerer).then(
      (answered) => send(request, response, answered),
      (error) => {
        if (response.destroyed) return;
        print("local", `Cannot answer ${request.method} ${request.url}: ${String(error)}`);
        send(request, response, gatewayAnswer(500, "Internal Server Error"));
      },
    );
  });
  // Long polls and slow uploads are bounded by the gateway's own limits.
  server.keepAliveTimeout = 60_000;
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Error(`Cannot listen on port ${port}: ${reason(error)}`, { cause: error });
  }
  return {
    url: `http://127.0.0.1:${addressOf(server.address()).port}`,
    open: (ready) => {
      answerer = ready;
    },
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, answerer: Answerer | undefined): Promise<Answer> {
  const body = await read(request);
  if (body === undefined) return gatewayAnswer(413, "Request Entity Too Large");
  if (answerer === undefined) return gatewayAnswer(503, "Service Unavailable");
  const intercepted = await answerer.intercept?.(request, body);
  if (intercepted !== undefined) return intercepted;
  const event = eventOf(request, body, answerer);
  if (event === undefined) return gatewayAnswer(400, "Bad Request");
  const patience = new AbortController();
  const late = sleep(answerer.timeoutMs, gatewayAnswer(503, "Service Unavailable"), {
    signal: patience.signal,
  }).catch(() => gatewayAnswer(503, "Service Unavailable"));
  try {
    return await Promise.race([answerer.pool.invoke(event).then(answerOf), late]);
  } finally {
    patience.abort();
  }
}

function eventOf(request: IncomingMessage, body: Buffer, front: Front) {
  try {
    return gatewayEvent(request, body, front, new Date());
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** The whole body, or undefined when it is longer than the gateway takes. */
async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    // What is too long is still read, so that the client gets to see the answer.
    if (length <= bodyLimit) chunks.push(bytes);
  }
  return length <= bodyLimit ? Buffer.concat(chunks) : undefined;
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.destroyed) return;
  response.writeHead(status, headers);
  response.end(request.method === "HEAD" ? undefined : body);
}

function addressOf(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === "string") throw new Error("Cannot tell the port that was taken");
  return address;
}

function reason(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
    return "another process listens there; stop it, or choose another port with --port";
  }
  if (error instanceof Error && "code" in error && error.code === "EACCES") {
    return "ports below 1024 need privileges; choose another port with --port";
  }
  return String(error);
}
