import { Client, errors, request as undiciRequest } from "undici";
import { codeOf, RequestError, type RequestFailure, type RequestFailureCode } from "./failure.ts";
import { type Guard, guardedConnector } from "./guarded-connector.ts";
import { checkUrl } from "./url-policy.ts";

/** One request. */
export type Request = {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Milliseconds for all of it: the name, the connection, the head of the answer, and what is read of its body. */
  readonly timeoutMs: number;
  /** Gives up: the only way to make a request reject. */
  readonly signal?: AbortSignal | undefined;
};

/** The answer as it arrives. */
export type Arriving = {
  readonly status: number;
  /** The first header of that name, in lower case. */
  header(name: string): string | null;
  readonly body: AsyncIterable<Uint8Array>;
  /** Milliseconds since the request was asked for. */
  elapsedMs(): number;
};

/** How to reach servers, but for what one request says. */
export type Reaching = Omit<Guard, "reach" | "signal"> & { readonly allowLoopback: boolean };

/**
 * Makes one request on a connection of its own and lets `read` take what it wants of the answer, within the time. No
 * redirect is followed, no proxy asked, nothing decompressed. A connection that is shared could be one that was opened to
 * another address, or that the other side has just given up.
 * @throws what `signal` says when it aborts; Error when headers are malformed
 */
export async function exchange<T>(
  request: Request,
  { allowLoopback, ...reaching }: Reaching,
  read: (answer: Arriving) => Promise<T>,
): Promise<T | RequestFailure> {
  const { method, headers, body, timeoutMs, signal } = request;
  signal?.throwIfAborted();
  const startedAt = performance.now();
  const elapsedMs = () => Math.round(performance.now() - startedAt);
  const failed = (code: RequestFailureCode, message: string): RequestFailure => {
    return { type: "failed", code, message, ms: elapsedMs() };
  };
  const target = checkUrl(request.url, { allowLoopback });
  if ("refused" in target) {
    const { code, message } = target.refused;
    return failed(code === "blocked_address" ? code : "invalid_url", message);
  }

  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), timeoutMs);
  const end = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal;
  const client = new Client(target.url.origin, {
    connect: guardedConnector({ ...reaching, reach: target.reach, signal: end }),
    pipelining: 0,
    // Both begin anew with every byte; `timeoutMs` doesn't.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const answer = await undiciRequest(target.url, {
      dispatcher: client,
      method,
      headers,
      body: body ?? null,
      signal: end,
    });
    const header = (name: string) => [answer.headers[name]].flat()[0] ?? null;
    return await read({ status: answer.statusCode, header, body: answer.body, elapsedMs });
  } catch (error) {
    signal?.throwIfAborted();
    if (ending.signal.aborted) {
      return failed("timed_out", `"${target.url.hostname}" didn't answer within ${timeoutMs} ms`);
    }
    const { code, message } = requestError(error, target.url.hostname);
    return failed(code, message);
  } finally {
    clearTimeout(timer);
    await client.destroy();
  }
}

/** @throws the error itself when neither the network nor the other side is to blame */
function requestError(error: unknown, host: string): RequestError {
  if (error instanceof RequestError) return error;
  const code = codeOf(error);
  if (
    error instanceof errors.HTTPParserError || // which may have no code
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError
  ) {
    return new RequestError(
      "malformed_answer",
      `Cannot read the answer of "${host}" (${code ?? error.name})`,
    );
  }
  if (code === null || error instanceof errors.InvalidArgumentError) throw error;
  return new RequestError("connection_lost", `The connection to "${host}" broke (${code})`);
}
