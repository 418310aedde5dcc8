/** What Google's front end sends with an HTTP error: the JSON form of `google.rpc.Status`. */
type ErrorBody = {
  error: { code: number; message: string; status: string; details?: readonly object[] };
};

/** An HTTP error as it goes out: `body` is JSON, or the text of an HTML page. */
export type ErrorReply = { status: number; body: ErrorBody | string };

/** Thrown wherever a request is found wanting; the server sends its `reply`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reply: ErrorReply;

  constructor(reply: ErrorReply) {
    super(typeof reply.body === "string" ? `HTTP ${reply.status}` : reply.body.error.message);
    this.reply = reply;
  }
}

/** Builds the error Google sends for an HTTP status, a `google.rpc` status name and a message. */
export function errorReply(
  code: number,
  status: string,
  message: string,
  details?: readonly object[],
): ErrorReply {
  const error = { code, message, status };
  return { status: code, body: { error: details === undefined ? error : { ...error, details } } };
}

/** 400 INVALID_ARGUMENT. */
export function invalidArgument(message: string, details?: readonly object[]): Refusal {
  return new Refusal(errorReply(400, "INVALID_ARGUMENT", message, details));
}

/** 404 NOT_FOUND. */
export function notFound(message: string): Refusal {
  return new Refusal(errorReply(404, "NOT_FOUND", message));
}

/** 403 PERMISSION_DENIED. */
export function permissionDenied(message: string): Refusal {
  return new Refusal(errorReply(403, "PERMISSION_DENIED", message));
}

/** 500 INTERNAL, in the words Google uses for every internal error. */
export function internalError(): ErrorReply {
  return errorReply(
    500,
    "INTERNAL",
    "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
  );
}

const rpcCodes: Readonly<Record<string, number>> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  INTERNAL: 13,
  UNAVAILABLE: 14,
};

/** The error of one batch row: the numeric `google.rpc` code instead of the HTTP status. */
export function rowError(reply: ErrorReply): { code: number; message: string; details?: readonly object[] } {
  if (typeof reply.body === "string") return { code: 13, message: `HTTP ${reply.status}` };
  const { status, message, details } = reply.body.error;
  const code = rpcCodes[status] ?? 2;
  return details === undefined ? { code, message } : { code, message, details };
}
