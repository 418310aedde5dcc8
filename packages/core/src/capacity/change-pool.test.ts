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

  it("takes turns with the others of its process, so that none of them is refused", async () => {
    const memory = memoryPools();
    const versions: number[] = [];
    const pools: Pools = {
      ...memory,
      async write(from, to) {
        versions.push(from.version);
        return memory.write(from, to);
      },
    };
    const tenants = ["a", "b", "c", "d", "e"];
    await Promise.all(tenants.map((tenant) => changePool(pools, name, join(tenant))));
    expect(versions).toEqual([0, 1, 2, 3, 4]);
    expect(Object.keys((await memory.load(name)).waiting)).toEqual(tenants);
  });

  it("keeps its turn where one before it ends and one more is asked for", async () => {
    const pools = memoryPools();
    const order: string[] = [];
    const noted = (tenant: string) => (pool: Pool) => {
      order.push(tenant);
      return join(tenant)(pool);
    };
    const first = changePool(pools, name, noted("a"));
    const second = changePool(pools, name, noted("b"));
    await first;
    await Promise.all([second, changePool(pools, name, noted("c"))]);
    expect(order, "each was decided on once").toEqual(["a", "b", "c"]);
  });

  it("that fails leaves the next its turn, and is told to who asked for it alone", async () => {
    const pools = memoryPools();
    const broken = new Error("It can't be decided");
    const failing = changePool(pools, name, () => {
      throw broken;
    });
    const next = changePool(pools, name, join("a"));
    await expect(failing).rejects.toBe(broken);
    expect(await next).toMatchObject({ told: "a" });
  });
});
