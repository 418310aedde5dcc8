/** Why a request came to nothing. A closed list: retry schedules and documents follow it. */
export type RequestFailureCode =
  /** The URL breaks the policy of `checkUrl`. */
  | "invalid_url"
  /** The host is, or resolves to, an address that isn't public; or somebody else's answered. */
  | "blocked_address"
  /** The host has no address, or its name servers don't tell. */
  | "dns_failed"
  | "connect_failed"
  /** No secure connection to a server that proves to be the host. */
  | "tls_failed"
  /** The time was over before there was an answer. */
  | "timed_out"
  /** The connection broke after the request may have arrived. */
  | "connection_lost"
  /** What came back is no HTTP, or larger or other than asked for. */
  | "malformed_answer";

export type RequestFailure<Code extends string = RequestFailureCode> = {
  readonly type: "failed";
  readonly code: Code;
  /** For the eyes of whoever owns the URL. Quotes its host, never its path. */
  readonly message: string;
  /** Milliseconds that it took. */
  readonly ms: number;
};

/** What went wrong with a request, on its way up to where it becomes a `RequestFailure`. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: RequestFailureCode;

  constructor(code: RequestFailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Node's or undici's name for an error, as `ECONNRESET`. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
