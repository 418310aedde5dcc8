import { randomUUID } from "node:crypto";
import { Worker } from "node:worker_threads";
import { type Print, printLines } from "../print.ts";
import {
  describeError,
  type FunctionError,
  type Invocation,
  type ThreadData,
  type ThreadMessage,
} from "./thread-messages.ts";

/** Bytes of JSON that Lambda takes as an event, and as a result. */
export const payloadLimit = 6_291_556;

/** Lambda's own limit on loading the module before it retries within the function's timeout. */
const loadLimitMs = 10_000;

/** A function as a thread runs it. */
export type ThreadSpec = ThreadData & {
  /** Short name, in front of what it prints. */
  readonly name: string;
  readonly timeoutMs: number;
  /** The whole of its `process.env`. */
  readonly environment: Readonly<Record<string, string>>;
};

/** How one event ended; `result` is JSON. */
export type Outcome =
  | { readonly ok: true; readonly result: string }
  | { readonly ok: false; readonly error: FunctionError };

/** A thread that runs one function. */
export type ExecutionEnvironment = {
  /** Settles when the module is loaded; gives the error when it cannot be. */
  readonly loaded: Promise<FunctionError | undefined>;
  /** Settles when the thread is gone. */
  readonly gone: Promise<void>;
  /** Events given to it that have not ended. */
  readonly inFlight: number;
  /** Whether its module is loaded and has an event to run. */
  readonly atWork: boolean;
  /** False once it has timed out, failed or been killed: it must not get another event. */
  readonly accepting: boolean;
  /** Hands it an event (JSON). Never rejects. */
  invoke(event: string): Promise<Outcome>;
  /** Ends the thread at once, as `kill -9` would; events in flight fail. */
  kill(): Promise<void>;
};

type Waiting = { readonly end: (outcome: Outcome) => void; readonly timer: NodeJS.Timeout };

/** Starts a thread for a function; its module is loaded at once. */
export function startEnvironment(spec: ThreadSpec, print: Print): ExecutionEnvironment {
  const { name, timeoutMs, environment, ...workerData } = spec;
  const worker = new Worker(new URL("./thread.ts", import.meta.url), {
    name,
    workerData,
    env: environment,
    // Lambda gives NODE_OPTIONS to the process; a thread takes its share as arguments.
    execArgv: environment.NODE_OPTIONS?.split(/\s+/).filter(Boolean) ?? [],
    resourceLimits: { maxOldGenerationSizeMb: spec.memoryMb },
    stdout: true,
    stderr: true,
  });
  printLines(worker.stdout, name, print);
  printLines(worker.stderr, name, print);

  const waiting = new Map<string, Waiting>();
  const loaded = Promise.withResolvers<FunctionError | undefined>();
  const gone = Promise.withResolvers<void>();
  let inFlight = 0;
  let accepting = true;
  let fate: FunctionError | undefined;

  const end = (requestId: string, outcome: Outcome) => {
    const entry = waiting.get(requestId);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    waiting.delete(requestId);
    entry.end(outcome);
  };
  const terminate = async (why: FunctionError) => {
    accepting = false;
    fate ??= why;
    await worker.terminate();
  };

  const loadTimer = setTimeout(
    () => void terminate({ errorType: "Sandbox.Timedout", errorMessage: "Loading the module took too long" }),
    loadLimitMs + timeoutMs,
  );
  void loaded.promise.then(() => clearTimeout(loadTimer));

  worker.on("message", (message: ThreadMessage) => {
    switch (message.type) {
      case "loaded":
        return loaded.resolve(undefined);
      case "not_loaded":
        loaded.resolve(message.error);
        return void terminate(message.error);
      case "returned":
        return end(message.requestId, checked(message.result));
      case "failed":
        return end(message.requestId, { ok: false, error: message.error });
    }
  });
  worker.on("error", (error) => {
    accepting = false;
    fate ??= describeError(error);
  });
  worker.on("exit", (code) => {
    accepting = false;
    const error = fate ?? {
      errorType: "Runtime.ExitError",
      errorMessage: `Runtime exited with error: exit status ${code}`,
    };
    loaded.resolve(error);
    for (const requestId of waiting.keys()) end(requestId, { ok: false, error });
    gone.resolve();
  });

  const timedOut = (requestId: string) => {
    // Events that share the thread are not to blame: they may finish before it goes.
    accepting = false;
    const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
    end(requestId, { ok: false, error: { errorType: "Sandbox.Timedout", errorMessage } });
  };

  const run = async (event: string): Promise<Outcome> => {
    const error = await loaded.promise;
    if (error !== undefined) return { ok: false, error };
    if (fate !== undefined) return { ok: false, error: fate };
    const requestId = randomUUID();
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    waiting.set(requestId, { end: resolve, timer: setTimeout(() => timedOut(requestId), timeoutMs) });
    worker.postMessage({ requestId, event, deadline: Date.now() + timeoutMs } satisfies Invocation);
    return promise;
  };

  return {
    loaded: loaded.promise,
    gone: gone.promise,
    get inFlight() {
      return inFlight;
    },
    get atWork() {
      return waiting.size > 0;
    },
    get accepting() {
      return accepting;
    },
    async invoke(event) {
      inFlight += 1;
      try {
        return await run(event);
      } finally {
        inFlight -= 1;
        if (!accepting && inFlight === 0) void worker.terminate();
      }
    },
    kill: () =>
      terminate({
        errorType: "Runtime.ExitError",
        errorMessage: "Runtime exited with error: signal: killed",
      }),
  };
}

function checked(result: string): Outcome {
  if (Buffer.byteLength(result) <= payloadLimit) return { ok: true, result };
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${payloadLimit} bytes).`;
  return { ok: false, error: { errorType: "Function.ResponseSizeTooLarge", errorMessage } };
}
