import { sampleRequest } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { expectedMemory, memoryBudget } from "./memory-budget.ts";

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Reserves and tells whether it got in. */
function reserving(budget: ReturnType<typeof memoryBudget>, bytes: number, signal: AbortSignal = never) {
  const state: { release?: () => void; error?: unknown } = {};
  void budget.reserve(bytes, signal).then(
    (release) => {
      state.release = release;
    },
    (error: unknown) => {
      state.error = error;
    },
  );
  return state;
}

describe("a memory budget", () => {
  it("lets in what fits, and the next as soon as there is room, first come first served", async () => {
    const budget = memoryBudget(100);
    const [first, second, third] = [60, 50, 10].map((bytes) => reserving(budget, bytes));
    await settle();
    expect(first?.release).toBeDefined();
    expect(second?.release).toBeUndefined();
    expect(third?.release, "a small one doesn't overtake").toBeUndefined();
    first?.release?.();
    await settle();
    expect(second?.release).toBeDefined();
    expect(third?.release).toBeDefined();
  });

  it("lets one in by itself that is larger than everything", async () => {
    const budget = memoryBudget(100);
    const large = reserving(budget, 500);
    const small = reserving(budget, 1);
    await settle();
    expect(large.release).toBeDefined();
    expect(small.release).toBeUndefined();
  });

  it("forgets who stops waiting, and lets the next in", async () => {
    const budget = memoryBudget(100);
    const holder = reserving(budget, 90);
    const gone = new AbortController();
    const waiting = reserving(budget, 50, gone.signal);
    const small = reserving(budget, 10);
    await settle();
    expect(small.release).toBeUndefined();
    gone.abort("lost");
    await settle();
    expect(waiting.error).toBe("lost");
    expect(small.release).toBeDefined();
    holder.release?.();
    holder.release?.();
    const rest = reserving(budget, 90);
    await settle();
    expect(rest.release, "a second release gives nothing back").toBeDefined();
    const tooMuch = reserving(budget, 1);
    await settle();
    expect(tooMuch.release).toBeUndefined();
  });

  it("has nothing for who has stopped waiting already", async () => {
    const budget = memoryBudget(100);
    const late = reserving(budget, 60, AbortSignal.abort("lost"));
    const next = reserving(budget, 100);
    await settle();
    expect(late).toEqual({ error: "lost" });
    expect(next.release).toBeDefined();
  });

  it("doesn't mind what becomes of the signal once somebody is in", async () => {
    const budget = memoryBudget(100);
    const over = new AbortController();
    const holder = reserving(budget, 100, over.signal);
    const next = reserving(budget, 50);
    await settle();
    over.abort("over");
    await settle();
    expect(next, "still waiting, for what is still held").toEqual({});
    holder.release?.();
    await settle();
    expect(next.release).toBeDefined();
  });

  it("tells how much there is at all", () => {
    expect(memoryBudget(100).total).toBe(100);
  });

  it("has room for 25 pictures of 4K in a worker of 1 GiB", () => {
    const each = expectedMemory(sampleRequest(), "4K", 0);
    expect((2 ** 30 - 150 * 2 ** 20) / each).toBeGreaterThanOrEqual(25);
  });

  it("expects a larger picture to need more, of any size more than Google has sent", () => {
    const sizes = (["512", "1K", "2K", "4K"] as const).map((size) =>
      expectedMemory(sampleRequest(), size, 0),
    );
    expect(sizes.toSorted((a, b) => a - b)).toEqual(sizes);
    expect(expectedMemory(sampleRequest(), "4K", 0)).toBeGreaterThan(24_000_000);
  });

  it("expects reference images and earlier turns to be held several times over", () => {
    const image = {
      sha256: "0".repeat(64),
      mediaType: "image/png",
      bytes: 3_000_000,
      width: 1,
      height: 1,
      source: null,
    } as const;
    const turn = { jobId: "job_01m82v7m00fzzvzzzzzzzzzzzz", index: 0, bytes: 2_000_000, images: 1 } as const;
    const without = expectedMemory(sampleRequest(), "1K", 0);
    expect(expectedMemory(sampleRequest({ images: [image] }), "1K", 0) - without).toBe(5 * 3_000_000);
    expect(expectedMemory(sampleRequest({ history: [turn] }), "1K", 0) - without).toBe(5 * 2_000_000);
    const everything = sampleRequest({ images: [image, image], continued: image, history: [turn] });
    expect(expectedMemory(everything, "1K", 0) - without).toBe(5 * (3 * 3_000_000 + 2_000_000));
  });
});
