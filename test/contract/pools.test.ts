import { dynamoPools } from "@plantain/aws/dynamo-pools";
import { changePool } from "@plantain/core/capacity/change-pool";
import { tenantPool } from "@plantain/core/capacity/held";
import { boundsOf } from "@plantain/core/capacity/limits";
import { emptyPool, lineUp, type Pool, request } from "@plantain/core/capacity/pool";
import type { Pools } from "@plantain/core/capacity/ports";
import { memoryPools } from "@plantain/memory/pools";
import { sampleJob, sampleLimits } from "@plantain/memory/samples";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emulatedTable } from "./emulators.ts";

const now = Date.UTC(2026, 10, 1);

/** What every implementation of the `Pools` port does. */
function poolsContract(name: string, start: () => Promise<{ pools: Pools; stop(): Promise<void> }>) {
  describe(`Pools, ${name}`, () => {
    let pools: Pools;
    let stop: () => Promise<void>;
    beforeAll(async () => ({ pools, stop } = await start()));
    afterAll(() => stop());

    const newName = () => tenantPool(`t${Math.random()}`);

    it("has an empty pool where none was written", async () => {
      const name = newName();
      expect(await pools.load(name)).toEqual(emptyPool(name));
    });

    it("gives back what was written", async () => {
      const name = newName();
      const to: Pool = {
        name,
        slots: { [sampleJob().id]: { fence: 2, key: "first", calls: 3, until: now } },
        waiting: { acme: { since: now, joinedAt: now }, "with spaces": { since: now + 1, joinedAt: now } },
        knockAt: now + 5,
        gates: {
          "/plantain/dev/gemini-api-key": {
            limit: 2.5,
            threshold: 10,
            closedUntil: now,
            closedBy: "rate_limited",
            strikes: 1,
            tightenedAt: now,
            usualMs: 17_000.5,
            recentMs: null,
          },
        },
        version: 1,
      };
      expect(await pools.write(emptyPool(name), to)).toEqual({ written: true });
      expect(await pools.load(name)).toEqual(to);
    });

    it("takes a write only on the version that it follows, and says what is there instead", async () => {
      const name = newName();
      const first = { ...lineUp(emptyPool(name), "acme", now), version: 1 };
      await pools.write(emptyPool(name), first);
      const late = { ...lineUp(emptyPool(name), "globex", now), version: 1 };
      expect(await pools.write(emptyPool(name), late)).toEqual({ written: false, current: first });
      const second = { ...lineUp(first, "globex", now), version: 2 };
      expect(await pools.write(first, second)).toEqual({ written: true });
      expect(await pools.write(first, second)).toEqual({ written: false, current: second });
    });

    it("never gives out more places than there are, however many ask at once", async () => {
      const name = newName();
      const bounds = boundsOf(name, { ...sampleLimits, jobsPerTenant: 7 });
      const asked = { fence: 1, calls: 1, at: now, until: now + 60_000, isNext: false };
      const taken = await Promise.all(
        Array.from({ length: 20 }, () =>
          changePool(pools, name, (pool) => request(pool, { ...asked, job: sampleJob().id }, bounds)),
        ),
      );
      expect(taken.filter((each) => "slot" in each)).toHaveLength(7);
      expect(Object.keys((await pools.load(name)).slots)).toHaveLength(7);
    });
  });
}

poolsContract("in memory", async () => ({ pools: memoryPools(), stop: async () => undefined }));
poolsContract("on DynamoDB", async () => {
  const { client, name, stop } = await emulatedTable();
  return { pools: dynamoPools(client, name), stop };
});
