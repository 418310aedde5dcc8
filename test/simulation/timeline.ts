/** Simulated time and everything that is still to happen in it. Nothing else in a simulation decides what comes next. */
export type Timeline = {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Lets `run` happen at that time, after everything that was put there earlier; a time that is past means now. */
  at(time: number, run: () => void): void;
  after(ms: number, run: () => void): void;
  /** Moves time to what comes next and lets it happen; `false` when nothing is left. */
  step(): boolean;
};

type Happening = { readonly at: number; readonly order: number; readonly run: () => void };

/** A binary heap: the earliest first, and of equals the one that was put there first. */
export function timeline(start: number): Timeline {
  const heap: Happening[] = [];
  let now = start;
  let order = 0;

  function push(entry: Happening): void {
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (!above || isBefore(above, entry)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  function pop(): Happening | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      if (!left) break;
      const right = heap[2 * place + 2];
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (isBefore(last, child)) break;
      heap[place] = child;
      place = 2 * place + (isRight ? 2 : 1);
    }
    heap[place] = last;
    return first;
  }

  const at = (time: number, run: () => void) => {
    order += 1;
    push({ at: Math.max(time, now), order, run });
  };
  return {
    get now() {
      return now;
    },
    at,
    after: (ms, run) => at(now + ms, run),
    step() {
      const next = pop();
      if (!next) return false;
      now = next.at;
      next.run();
      return true;
    },
  };
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
