import type { Dice } from "./dice.ts";
import { type Process, process } from "./process.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** How an invocation ended, as its caller hears it. */
export type Ended = "returned" | "threw" | "died";

/** What runs in one invocation; `leftMs` is the true time that it has left. */
export type Handler = (process: Process, leftMs: () => number) => Promise<void>;

/** A Lambda function: environments that are started cold, used again, frozen between invocations, and killed. */
export type Lambda = {
  invoke(handler: Handler, onEnd?: (ended: Ended) => void): void;
  readonly running: number;
};

export type Limits = {
  readonly name: string;
  readonly timeoutMs: number;
  readonly skewMs: number;
  /** Hears of an environment that is about to be killed at its timeout, and when its invocation began. */
  readonly onTimeout?: (environment: Process, begunAt: number) => void;
};

/** Share of environments that are not kept after an invocation. */
const reaped = 0.2;

export function lambda(
  { timeline, trace, dice }: { timeline: Timeline; trace: Trace; dice: Dice },
  { name, timeoutMs, skewMs, onTimeout }: Limits,
): Lambda {
  const idle: Process[] = [];
  let started = 0;
  let running = 0;

  function start(): Process {
    started += 1;
    return process(`${name}-${started}`, { timeline, trace, dice }, dice.between(-skewMs, skewMs));
  }

  return {
    get running() {
      return running;
    },
    invoke(handler, onEnd) {
      running += 1;
      const warm = idle.pop();
      const begin = () => {
        // It may have died in its sleep, of what its last invocation left behind
        const environment = warm?.isAlive ? warm : start();
        const begunAt = timeline.now;
        const until = begunAt + timeoutMs;
        let isOver = false;
        const end = (ended: Ended) => {
          if (isOver) return;
          isOver = true;
          running -= 1;
          environment.onDeath = null;
          trace.note(environment.name, `invocation ${ended}`);
          if (ended !== "died") {
            environment.suspend();
            if (!dice.chance(reaped)) idle.push(environment);
          }
          onEnd?.(ended);
        };
        environment.onDeath = () => end("died");
        const expire = () => {
          if (isOver) return;
          // A frozen machine is killed late too: until then its code goes on as a zombie
          if (environment.isFrozen) environment.resume(() => timeline.after(dice.between(0, 2_000), expire));
          else {
            onTimeout?.(environment, begunAt);
            environment.kill("timeout");
          }
        };
        timeline.at(until, expire);
        environment.thaw();
        handler(environment, () => Math.max(0, Math.round(until - timeline.now))).then(
          () => end("returned"),
          () => end("threw"),
        );
      };
      timeline.after(warm ? dice.between(1, 20) : dice.lognormal(600, 0.5), begin);
    },
  };
}
