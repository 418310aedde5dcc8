import type { Timeline } from "./timeline.ts";

/** What happened, line by line. Two runs of one seed are the same when their hashes are. */
export type Trace = {
  note(who: string, what: string): void;
  readonly hash: string;
  readonly lines: number;
};

/** @param print takes each line when somebody wants to read along */
export function trace(timeline: Timeline, start: number, print: ((line: string) => void) | null): Trace {
  let low = 0x811c9dc5;
  let high = 0x1000193;
  let lines = 0;
  const mix = (text: string) => {
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x85ebca6b) ^ (low >>> 13);
    }
  };
  return {
    note(who, what) {
      lines += 1;
      mix(String(timeline.now));
      mix(who);
      mix(what);
      if (print)
        print(`${((timeline.now - start) / 1000).toFixed(3).padStart(10)}  ${who.padEnd(10)} ${what}`);
    },
    get hash() {
      return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
    },
    get lines() {
      return lines;
    },
  };
}
