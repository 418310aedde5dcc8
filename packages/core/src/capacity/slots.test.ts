import { sampleJob } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { type Bounds, emptyPool, giveBack, type Pool, type Request, request } from "./pool.ts";

const now = Date.UTC(2026, 10, 1);
const bounds: Bounds = { keys: ["key"], ceiling: 20, longestClosureMs: 900_000, isAdaptive: true };
const ask = (about: Partial<Request> = {}): Request => ({
  job: sampleJob().id,
  fence: 1,
  calls: 1,
  at: now,
  until: now + 60_000,
  isNext: false,
  ...about,
});
const grown = (count: number, within: Bounds) =>
  Array.from({ length: count }).reduce<Pool>(
    (pool) => request(pool, ask(), within).pool,
    emptyPool("tenant:acme"),
  );

describe("slots", () => {
  it("that are asked for again, for no longer, need no write", () => {
    const asked = ask();
    const { pool } = request(emptyPool("model:m"), asked, bounds);
    expect(request(pool, asked, bounds).pool).toBe(pool);
  });

  it("of a tenant are as many as it may have from the start: there is nothing to learn", () => {
    expect(Object.keys(grown(25, { ...bounds, isAdaptive: false }).slots)).toHaveLength(20);
    expect(Object.keys(grown(25, bounds).slots), "a model's gate is tried first").toHaveLength(10);
  });

  it("whose time is over are dropped when another is given back", () => {
    const [dead, live, own] = [ask({ until: now + 5 }), ask({ until: now + 6 }), ask()];
    const pool = [dead, live, own].reduce(
      (before, each) => request(before, each, bounds).pool,
      grown(0, bounds),
    );
    const after = giveBack(pool, { job: own.job, fence: 1, heard: [], at: now + 5 }, bounds);
    expect(Object.keys(after.slots)).toEqual([live.job]);
  });
});
