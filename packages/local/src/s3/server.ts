import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { type Answer, errorAnswer, send } from "./answer.ts";
import type { Context } from "./context.ts";
import { type CorsRule, corsHeaders, preflight } from "./cors.ts";
import { openUploadStore } from "./multipart-upload.ts";
import { openObjectStore } from "./object-store.ts";
import { readRequest, type S3Request } from "./request.ts";
import { route } from "./routes.ts";
import { S3Error } from "./s3-error.ts";
import type { Credentials } from "./signature.ts";

/** A bucket that exists from the start, with the CORS rules of its template. */
export type BucketSettings = { readonly name: string; readonly cors: readonly CorsRule[] };

export type S3Options = {
  /** Where objects live; created if missing, found again at the next start. One server at a time. */
  readonly dir: string;
  /** Default: any free port. */
  readonly port?: number;
  readonly buckets: readonly BucketSettings[];
  readonly credentials: Credentials;
  readonly region: string;
  /** Milliseconds since 1970; default `Date.now`. */
  readonly now?: () => number;
};

/**
 * Starts an S3 server on 127.0.0.1, path-style. It answers as S3 does for what Plantain uses and refuses the rest by
 * name (501). `stop` ends open connections and resolves when nothing touches the directory any more.
 * Rejects when the directory cannot be written or the port is taken.
 */
export async function startS3(options: S3Options): Promise<{ url: string; stop(): Promise<void> }> {
  const { dir, credentials, region, now = Date.now } = options;
  const store = openObjectStore(dir, now);
  for (const { name } of options.buckets) store.createBucket(name);
  const context: Context = {
    store,
    uploads: openUploadStore(join(dir, "uploads"), now),
    keyring: { credentials, region, now },
  };
  const rules = new Map(options.buckets.map(({ name, cors }) => [name, cors]));

  const running = new Set<Promise<void>>();
  const listen = (waitsForContinue: boolean) => (message: IncomingMessage, response: ServerResponse) => {
    const work = serve(context, rules, message, response, waitsForContinue);
    running.add(work);
    void work.finally(() => running.delete(work));
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listen(false));
  server.on("checkContinue", listen(true));
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("Cannot tell the port of the S3 server");

  return {
    url: `http://127.0.0.1:${address.port}`,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await Promise.all(running);
    },
  };
}

/** Longer than SDK clients keep an idle connection, so that none writes into one we are closing. */
const KEEP_ALIVE_MS = 75_000;

async function serve(
  context: Context,
  rules: ReadonlyMap<string, readonly CorsRule[]>,
  message: IncomingMessage,
  response: ServerResponse,
  waitsForContinue: boolean,
): Promise<void> {
  const requestId = randomBytes(8).toString("hex").toUpperCase();
  // Without its query, which in a presigned URL is as good as a password.
  const path = (message.url ?? "").split("?", 1).join();
  let request: S3Request | undefined;
  let answer: Answer;
  try {
    request = readRequest(message, () => {
      if (waitsForContinue) response.writeContinue();
      // Without `destroyOnReturn: false` a refused upload would lose the connection its answer goes over.
      return message.iterator({ destroyOnReturn: false });
    });
    const cors = rules.get(request.bucket);
    answer = request.method === "OPTIONS" ? preflight(request, cors) : await route(context, request);
  } catch (error) {
    if (message.errored !== null) return;
    if (!(error instanceof S3Error)) console.error(`Cannot answer ${message.method} "${path}":`, error);
    const refusal =
      error instanceof S3Error
        ? error
        : new S3Error("InternalError", "We encountered an internal error. Please try again.");
    answer = errorAnswer(refusal, path, requestId);
  }
  const cors = request === undefined ? {} : corsHeaders(request, rules.get(request.bucket));
  const headers = {
    ...(request?.method === "OPTIONS" ? {} : cors),
    ...answer.headers,
    "x-amz-request-id": requestId,
  };
  try {
    await send(response, { ...answer, headers }, message.method ?? "GET");
  } catch (error) {
    response.destroy();
    if (!isGone(error)) console.error(`Cannot send the answer to ${message.method} "${path}":`, error);
  }
  // What is left of a refused body has to be read, or the connection's next request would never be.
  message.resume();
}

/** The client closed the connection: nobody is left to tell. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET" || code === "EPIPE";
}
