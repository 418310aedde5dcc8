import type { Print } from "../print.ts";
import {
  type ExecutionEnvironment,
  type Outcome,
  payloadLimit,
  startEnvironment,
  type ThreadSpec,
} from "./execution-environment.ts";

export type PoolSize = {
  /** Threads that may exist side by side. */
  readonly threads: number;
  /** Events that one thread may have in flight; Lambda gives one, a function that mostly waits can share. */
  readonly eventsPerThread: number;
};

export type PoolStatus = {
  readonly name: string;
  readonly threads: number;
  readonly busy: number;
  readonly inFlight: number;
};

/** All execution environments of one function. Warm threads are kept and used again. */
export type FunctionPool = {
  readonly name: string;
  /** Starts that many threads. Throws when the function's module does not load. */
  warm(threads: number): Promise<void>;
  /** Runs the function on one event. Never rejects; without a free thread the outcome is a throttle. Errors are printed. */
  invoke(event: unknown): Promise<Outcome>;
  status(): PoolStatus;
  /** Ends one thread in the middle of its work and says whether there was one: a thread that only starts isn't at work. */
  kill(): Promise<boolean>;
  /** Ends all threads; later events are throttled. */
  stop(): Promise<void>;
};

/** With this many events on the least busy thread, another thread is worth its start. */
const crowd = 16;

export function createPool(spec: ThreadSpec, size: PoolSize, print: Print): FunctionPool {
  const environments = new Set<ExecutionEnvironment>();
  let stopped = false;

  const accepting = () => [...environments].filter((environment) => environment.accepting);

  const start = (): ExecutionEnvironment => {
    const environment = startEnvironment(spec, print);
    environments.add(environment);
    void environment.gone.then(() => environments.delete(environment));
    return environment;
  };

  const choose = (): ExecutionEnvironment | undefined => {
    const open = accepting();
    const free = open
      .filter(({ inFlight }) => inFlight < size.eventsPerThread)
      .reduce<ExecutionEnvironment | undefined>(
        (best, each) => (best === undefined || each.inFlight < best.inFlight ? each : best),
        undefined,
      );
    const wanted = free === undefined || free.inFlight >= crowd;
    const fresh = wanted && open.length < size.threads ? start() : undefined;
    return free ?? fresh;
  };

  const run = async (event: unknown): Promise<Outcome> => {
    const payload = JSON.stringify(event);
    if (Buffer.byteLength(payload) > payloadLimit) {
      return failure("RequestTooLargeException", `Request must be smaller than ${payloadLimit} bytes`);
    }
    const environment = stopped ? undefined : choose();
    if (environment === undefined) return failure("TooManyRequestsException", "Rate Exceeded.");
    return environment.invoke(payload);
  };

  return {
    name: spec.name,
    async warm(threads) {
      const started = Array.from({ length: Math.min(threads, size.threads) }, start);
      for (const error of await Promise.all(started.map(({ loaded }) => loaded))) {
        if (error === undefined) continue;
        const trace = error.trace?.join("\n") ?? `${error.errorType}: ${error.errorMessage}`;
        throw new Error(`Cannot start function "${spec.name}": ${trace}`);
      }
    },
    async invoke(event) {
      const outcome = await run(event);
      if (!outcome.ok && !stopped) {
        const { errorType, errorMessage, trace = [`${errorType}: ${errorMessage}`] } = outcome.error;
        for (const line of trace) print(spec.name, line);
      }
      return outcome;
    },
    status() {
      const all = [...environments];
      return {
        name: spec.name,
        threads: all.length,
        busy: all.filter(({ inFlight }) => inFlight > 0).length,
        inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0),
      };
    },
    async kill() {
      const busy = [...environments].find(({ atWork }) => atWork);
      await busy?.kill();
      return busy !== undefined;
    },
    async stop() {
      stopped = true;
      await Promise.all([...environments].map((environment) => environment.kill()));
    },
  };
}

function failure(errorType: string, errorMessage: string): Outcome {
  return { ok: false, error: { errorType, errorMessage } };
}
