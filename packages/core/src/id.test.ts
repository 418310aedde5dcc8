import { seededRandom } from "@plantain/memory/clock";
import { describe, expect, it } from "vitest";
import { isJobId, newJobId, shardOf } from "./id.ts";

describe("job ids", () => {
  const random = seededRandom();
  const at = Date.UTC(2026, 10, 23);

  it("sort by the millisecond they were made in", () => {
    const ids = [0, 1, 2, 1_000, 86_400_000].map((later) => newJobId(at + later, random.bytes(10)));
    expect(ids.toSorted()).toEqual(ids);
  });

  it("are a UUIDv7 in Crockford base32 and recognize themselves", () => {
    const id = newJobId(at, new Uint8Array(10).fill(255));
    expect(id).toBe("job_01m82v7m00fzzvzzzzzzzzzzzz");
    expect(isJobId(id)).toBe(true);
  });

  it.each([
    "job_",
    "job_1",
    "JOB_01KAPWHD00",
    "job_01kapwhd00fzzvzzzzzzzzzzz!",
    "upl_01kapwhd00fzzvzzzzzzzzzzzz",
  ])("are not %s", (text) => {
    expect(isJobId(text)).toBe(false);
  });

  it("refuse to be made of too little randomness", () => {
    expect(() => newJobId(at, new Uint8Array(9))).toThrow("9 random bytes given, 10 needed");
  });

  it("spread evenly over shards", () => {
    const counts = new Array<number>(16).fill(0);
    for (let n = 0; n < 1_600; n += 1) {
      const shard = shardOf(newJobId(at, random.bytes(10)), 16);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(60);
    expect(Math.max(...counts)).toBeLessThan(150);
  });
});
