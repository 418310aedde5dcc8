import { manualClock, seededRandom } from "@plantain/memory/clock";
import { describe, expect, it } from "vitest";
import { insist } from "./insist.ts";

const never = new AbortController().signal;

/** A write that fails so many times, and when each of its tries was. */
function failing(clock: { now(): number }, times: number) {
  const tries: number[] = [];
  const write = async () => {
    tries.push(clock.now());
    if (tries.length <= times) throw new Error(`Throttled ${tries.length}`);
    return "written";
  };
  return { tries, write };
}

/** Milliseconds between one and the next. */
const waits = (tries: readonly number[]) => tries.slice(1).map((at, index) => at - (tries[index] ?? 0));

describe("a write that is insisted on", () => {
  it("happens once where it succeeds", async () => {
    const clock = manualClock();
    const { tries, write } = failing(clock, 0);
    expect(await insist({ clock, random: seededRandom() }, never, write)).toBe("written");
    expect(tries).toHaveLength(1);
  });

  it("waits twice as long each time, up to five seconds", async () => {
    const clock = manualClock();
    const random = { ...seededRandom(), fraction: () => 1 };
    const { tries, write } = failing(clock, 8);
    const done = insist({ clock, random }, never, write);
    await clock.advance(60_000);
    expect(await done).toBe("written");
    expect(waits(tries)).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it("waits any part of that, so that many workers don't come back at once", async () => {
    const clock = manualClock();
    const fractions = [0, 0.25, 0.5];
    const random = { ...seededRandom(), fraction: () => fractions.shift() ?? 0 };
    const { tries, write } = failing(clock, 3);
    const done = insist({ clock, random }, never, write);
    await clock.advance(60_000);
    await done;
    expect(waits(tries)).toEqual([0, 100, 400]);
  });

  it("is given up with its last error when the signal aborts while it waits", async () => {
    const clock = manualClock();
    const random = { ...seededRandom(), fraction: () => 1 };
    const gone = new AbortController();
    const { tries, write } = failing(clock, 100);
    const done = expect(insist({ clock, random }, gone.signal, write)).rejects.toThrow("Throttled 2");
    await clock.advance(300);
    gone.abort();
    await done;
    expect(tries).toHaveLength(2);
  });

  it("is given up without a wait when the signal aborted during the write", async () => {
    const gone = new AbortController();
    let slept = 0;
    const sleep = async () => {
      slept += 1;
    };
    const clock = { ...manualClock(), sleep };
    const write = async () => {
      gone.abort();
      throw new Error("Too late");
    };
    await expect(insist({ clock, random: seededRandom() }, gone.signal, write)).rejects.toThrow("Too late");
    expect(slept).toBe(0);
  });

  it("is told as written when it succeeds, though the signal aborted meanwhile", async () => {
    const gone = new AbortController();
    const write = async () => {
      gone.abort();
      return "written";
    };
    const clock = manualClock();
    expect(await insist({ clock, random: seededRandom() }, gone.signal, write)).toBe("written");
  });
});
