import { seededRandom } from "@plantain/memory/clock";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isJobId, newJobId, shardOf } from "./id.ts";

/** The UUID in an id, as a number. */
function uuidOf(id: string): bigint {
  const digits = Array.from(id.slice("job_".length), (letter) => crockford.indexOf(letter));
  return digits.reduce((sum, digit) => sum * 32n + BigInt(digit), 0n);
}
const crockford = "0123456789abcdefghjkmnpqrstvwxyz";

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

  it("hold their millisecond and their randomness, but for the six bits that tell a UUIDv7", () => {
    const times = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    const entropies = fc.uint8Array({ minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(times, entropies, (time, entropy) => {
        const id = newJobId(time, entropy);
        expect(isJobId(id)).toBe(true);
        const uuid = uuidOf(id);
        expect(uuid >> 80n).toBe(BigInt(time));
        expect((uuid >> 76n) & 0xfn, "version").toBe(7n);
        expect((uuid >> 62n) & 0x3n, "variant").toBe(2n);
        const random = BigInt(`0x${Buffer.from(entropy).toString("hex")}`);
        const free = 2n ** 80n - 1n - (0xfn << 76n) - (0x3n << 62n);
        expect(uuid & free).toBe(random & free);
      }),
    );
  });

  it("take no more randomness than they have room for", () => {
    const entropy = random.bytes(16);
    expect(newJobId(at, entropy)).toBe(newJobId(at, entropy.subarray(0, 10)));
  });

  it.each([
    "job_",
    "job_1",
    "JOB_01KAPWHD00",
    "job_01kapwhd00fzzvzzzzzzzzzzz!",
    "upl_01kapwhd00fzzvzzzzzzzzzzzz",
    "job_81kapwhd00fzzvzzzzzzzzzzzz", // over 128 bits
    "job_01kapwhd00fzzvzzzzzzzzzzzu",
    "job_01kapwhd00fzzvzzzzzzzzzzz",
    "job_01kapwhd00fzzvzzzzzzzzzzzzz",
    "/job_01kapwhd00fzzvzzzzzzzzzzzz",
    "job_01kapwhd00fzzvzzzzzzzzzzzz/",
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
