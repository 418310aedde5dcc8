import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** An effect as a process asks for it. */
export type Effect<T> = {
  /** `service.method`. */
  readonly label: string;
  /** The job, delivery or endpoint that it is about, if any. */
  readonly subject: string | null;
  /** Whether it is a conditional write or transaction, which concurrent ones may refuse. */
  readonly isWrite: boolean;
  /** Lets it take place in the service, at once. */
  readonly serve: () => Promise<T>;
  /** What the process hears when the SDK sent it twice. */
  readonly repeated: (first: T, serve: () => Promise<T>) => Promise<T>;
  /** Called as the process hears that it failed. */
  readonly onFailure: () => void;
};

/** The one way from a process to everything outside it, and the one place where that goes wrong. */
export type Network = {
  send<T>(from: Process, effect: Effect<T>): Promise<T>;
  /** Milliseconds for one way. */
  hop(): number;
  freezeMs(): number;
  /** Effects that have still to take place though nobody waits for them. */
  readonly adrift: number;
};

export function network({
  timeline,
  trace,
  dice,
  faults,
}: {
  timeline: Timeline;
  trace: Trace;
  dice: Dice;
  faults: Faults;
}): Network {
  const hop = () => dice.lognormal(4, 0.8);
  const freezeMs = () => (dice.chance(0.5) ? dice.between(500, 25_000) : dice.between(40_000, 280_000));
  let adrift = 0;
  /** Subjects with a write on its way. */
  const writing = new Set<string>();

  return {
    hop,
    freezeMs,
    get adrift() {
      return adrift;
    },
    send<T>(from: Process, { label, subject, isWrite, serve, repeated, onFailure }: Effect<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const isContended = isWrite && subject !== null && writing.has(subject);
        const fault = faults.next({ label, subject, isContended }, timeline.now);
        trace.note(from.name, `${label} ${subject ?? ""}${fault ? ` !${fault}` : ""}`);
        const answer = (settle: () => void) => timeline.after(hop(), () => from.resume(settle));
        const fail = (why: string) => {
          onFailure();
          reject(new Error(`Simulated: ${label} ${why}`));
        };
        if (isWrite && subject !== null) writing.add(subject);
        const arrive = (then: (result: T) => void) => {
          if (subject !== null) writing.delete(subject);
          serve().then(then, (error: unknown) => answer(() => reject(error)));
        };
        const usual = (result: T) => answer(() => resolve(result));

        switch (fault) {
          case "crash_before":
            from.kill("crash");
            return;
          case "crash_after":
            timeline.after(hop(), () => arrive(() => from.kill("crash")));
            return;
          case "freeze_before":
            from.freeze(freezeMs());
            from.resume(() => timeline.after(hop(), () => arrive(usual)));
            return;
          case "freeze_after":
            from.freeze(freezeMs());
            timeline.after(hop(), () => arrive(usual));
            return;
          case "refused":
          case "conflict":
            timeline.after(hop(), () => answer(() => fail("is throttled")));
            return;
          case "answer_lost":
            timeline.after(hop(), () => {
              serve().then(ignore, ignore);
              timeline.after(dice.between(100, 3_000), () => from.resume(() => fail("timed out")));
            });
            return;
          case "late":
            adrift += 1;
            timeline.after(dice.between(100, 3_000), () => {
              from.resume(() => fail("timed out"));
              timeline.after(dice.between(0, 60_000), () => {
                adrift -= 1;
                trace.note(from.name, `${label} ${subject ?? ""} arrives late`);
                serve().then(ignore, ignore);
              });
            });
            return;
          case "repeated":
            timeline.after(hop(), () =>
              arrive((first) =>
                timeline.after(dice.between(50, 1_000), () => {
                  repeated(first, serve).then(usual, (error: unknown) => answer(() => reject(error)));
                }),
              ),
            );
            return;
          case "slow":
            timeline.after(dice.between(500, 6_000), () => arrive(usual));
            return;
          case null:
            timeline.after(hop(), () => arrive(usual));
        }
      });
    },
  };
}

function ignore(): void {
  // Nobody hears how it ended
}
