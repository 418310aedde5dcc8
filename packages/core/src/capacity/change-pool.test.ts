import { memoryPools } from "@plantain/memory/pools";
import { describe, expect, it } from "vitest";
import { changePool } from "./change-pool.ts";
import { lineUp, type Pool } from "./pool.ts";
import type { Pools } from "./ports.ts";

const name = "model:m";
const join = (tenant: string) => (pool: Pool) => ({ pool: lineUp(pool, tenant, 1), told: tenant });

describe("a change of a pool", () => {
  it("is written under the next version, and gives the pool as it is now with what was decided", async () => {
    const pools = memoryPools();
    await changePool(pools, name, join("a"));
    const { pool, told } = await changePool(pools, name, join("b"));
    expect(told).toBe("b");
    expect(pool.version).toBe(2);
    expect(Object.keys(pool.waiting)).toEqual(["a", "b"]);
    expect(await pools.load(name)).toEqual(pool);
  });

  it("that changes nothing isn't written", async () => {
    const pools: Pools = { ...memoryPools(), write: () => Promise.reject(new Error("Written")) };
    expect(await changePool(pools, name, (pool) => ({ pool, told: 7 }))).toMatchObject({ told: 7 });
  });

  it("is decided on again where somebody was quicker", async () => {
    const memory = memoryPools();
    let isFirst = true;
    const pools: Pools = {
      ...memory,
      async write(from, to) {
        if (isFirst) {
          isFirst = false;
          await changePool(memory, name, join("quicker"));
        }
        return memory.write(from, to);
      },
    };
    const { pool } = await changePool(pools, name, join("slow"));
    expect(Object.keys(pool.waiting)).toEqual(["quicker", "slow"]);
    expect(await memory.load(name)).toEqual(pool);
  });
});
