/*
 * What goes between the pool and its threads. Both ends are ours and of one version, so messages are not parsed; a
 * thread starts a third faster without a schema library.
 */

/** What a thread is told when it starts. */
export type ThreadData = {
  /** The module that exports the handler, absolute. */
  readonly modulePath: string;
  readonly exportName: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMb: number;
};

/** One event for the handler; `event` is JSON, `deadline` epoch milliseconds. */
export type Invocation = { readonly requestId: string; readonly event: string; readonly deadline: number };

/** An error as Lambda reports it. */
export type FunctionError = {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
};

/** What a thread says: that the module is loaded or cannot be, then how each event ended; `result` is JSON. */
export type ThreadMessage =
  | { readonly type: "loaded" }
  | { readonly type: "not_loaded"; readonly error: FunctionError }
  | { readonly type: "returned"; readonly requestId: string; readonly result: string }
  | { readonly type: "failed"; readonly requestId: string; readonly error: FunctionError };

/** An error in the words Lambda would use for it. */
export function describeError(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error) };
  return {
    errorType: error.name,
    errorMessage: error.message,
    ...(error.stack === undefined ? {} : { trace: error.stack.split("\n") }),
  };
}
