import type { Posted, Posting, Sender } from "@plantain/core/webhook/ports";
import type { Dice } from "./dice.ts";
import type { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";

/** A request as its receiver saw it. */
export type Request = {
  readonly url: string;
  readonly id: string;
  readonly body: string;
  readonly taken: boolean;
};

/** When a receiver is down: it refuses, fails or hangs. */
export type Downtime = { readonly from: number; readonly until: number };

export type Receivers = {
  readonly requests: readonly Request[];
  /** The way there from a process. */
  serve(process: Process): Sender;
  /** Called with each request as it arrives, and whether no other of its id is under way in a process that is well. */
  onRequest: ((request: Request, isAlone: boolean) => void) | null;
};

const failures = ["refuses", "fails", "hangs"] as const;
/** Share of requests that go wrong at a receiver that is up. */
const hiccups = 0.03;

/** The customers' servers: each up but for its downtime. */
export function receivers(
  { timeline, dice }: { timeline: Timeline; dice: Dice },
  downtimes: ReadonlyMap<string, Downtime>,
): Receivers {
  const requests: Request[] = [];
  const underWay = new Map<string, { process: Process; mishaps: number }>();
  const self: Receivers = {
    requests,
    onRequest: null,
    serve: (process) => ({
      send: (posting) =>
        new Promise<Posted>((resolve) => {
          const { posted, afterMs } = answer(posting, process);
          timeline.after(afterMs, () =>
            process.resume(() => {
              underWay.delete(idOf(posting));
              resolve(posted);
            }),
          );
        }),
    }),
  };

  function answer(posting: Posting, process: Process): { posted: Posted; afterMs: number } {
    const { url, body, timeoutMs } = posting;
    const id = idOf(posting);
    const before = underWay.get(id);
    const isAlone = !before || before.process.mishaps.length > before.mishaps;
    underWay.set(id, { process, mishaps: process.mishaps.length });
    const down = downtimes.get(url);
    const isDown = down !== undefined && down.from <= timeline.now && timeline.now < down.until;
    const how = isDown || dice.chance(hiccups) ? dice.pick(failures) : null;
    if (how !== "refuses") {
      const request = { url, id, body, taken: how === null };
      requests.push(request);
      self.onRequest?.(request, isAlone);
    }
    if (how === "hangs") {
      const posted = { type: "failed", code: "timed_out", message: "Simulated", ms: timeoutMs } as const;
      return { posted, afterMs: timeoutMs };
    }
    const ms = Math.min(timeoutMs - 1, dice.lognormal(60, 1));
    if (how === "refuses")
      return { posted: { type: "failed", code: "connect_failed", message: "Simulated", ms }, afterMs: ms };
    const retryAfter = how === "fails" && dice.chance(0.3) ? String(dice.whole(1, 7_200)) : null;
    const status = how === null ? 200 : dice.pick([500, 503, 429, 404, 302]);
    const posted = {
      type: "answered",
      status,
      retryAfter,
      body: new Uint8Array(),
      isWhole: true,
      ms,
    } as const;
    return { posted, afterMs: ms };
  }
  return self;
}

function idOf({ headers }: Posting): string {
  return headers["webhook-id"] ?? "";
}
