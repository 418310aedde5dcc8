import { describe, expect, it } from "vitest";
import { pinned } from "./pinned.ts";
import { faultKinds } from "./profile.ts";
import { aimed } from "./profiles.ts";
import { type About, replay } from "./report.ts";
import { runSeeds, type Tally } from "./seeds.ts";
import { runOnThreads, runOrders } from "./threads.ts";

const longMs = 300_000;

/** Every seed that broke a promise: which, and the command that shows it again. */
function broken(tally: Tally | undefined, about: Omit<About, "from">): string[] {
  return (tally?.failing ?? []).map(
    ({ seed, violations: [first] }) => `${first?.invariant}: ${first?.text}\n${replay(seed, about)}`,
  );
}

describe("the whole system", () => {
  it(
    "keeps every promise in 2,000 rough worlds",
    async () => {
      const tally = await runOnThreads({ from: 1, count: 2_000, profile: "default", trace: false });
      expect(broken(tally, { profile: "default" })).toEqual([]);
      expect(tally.seeds).toBe(2_000);
    },
    longMs,
  );

  it(
    "keeps them in the roughest worlds",
    async () => {
      const tally = await runOnThreads({ from: 1, count: 300, profile: "heavy", trace: false });
      expect(broken(tally, { profile: "heavy" })).toEqual([]);
    },
    longMs,
  );

  it(
    "tells everybody of every job's end, also a receiver that was down for six hours, in 25 rough worlds",
    async () => {
      const tally = await runOnThreads({ from: 1, count: 25, profile: "deaf", trace: false });
      expect(broken(tally, { profile: "deaf" })).toEqual([]);
      expect(tally.virtualMs).toBeGreaterThan(25 * 6 * 3_600_000);
    },
    longMs,
  );

  it(
    "pays exactly once for each image, and lets no job fail, when nothing goes wrong",
    async () => {
      const tally = await runOnThreads({ from: 1, count: 500, profile: "none", trace: false });
      expect(broken(tally, { profile: "none" })).toEqual([]);
      expect(tally.injected.size).toBe(0);
    },
    longMs,
  );
});

/** What a process asks of the world outside it. */
const effects = [
  ...["load", "read", "findByKey", "create", "list", "due", "held", "settle"].map((name) => `jobs.${name}`),
  ...["queued", "held", "promoted", "running", "succeeded", "failed", "canceled"].map(
    (status) => `jobs.write.${status}`,
  ),
  ...["put", "get", "size", "list"].map((name) => `objects.${name}`),
  ...[
    "pools.load",
    "pools.write",
    "queue.send",
    "message.extend",
    "message.ack",
    "gemini.generate",
    "web.download",
  ],
];
const deletionEffects = [
  ...["bury", "loadTombstone", "writeTombstone", "eraseRecords"].map((name) => `jobs.${name}`),
  "objects.remove",
];
/**
 * Those of webhooks. Without the writes of a claim and of a success: where every other one goes wrong, the schedule of ten
 * tries is soon spent by the deaths of those who make them, as it should be.
 */
const webhookEffects = [
  ...["load", "loadEvent", "due", "ofDestination"].map((name) => `deliveries.${name}`),
  ...["pending", "parked"].map((status) => `deliveries.write.${status}`),
  ...["list", "load", "write", "loadSigner"].map((name) => `endpoints.${name}`),
  "deliveryQueue.send",
];

/** A conflict needs two writers, so it can't be brought about at will. */
const kinds = faultKinds.filter((kind) => kind !== "conflict");

describe("each kind of fault, at each effect, every other time", () => {
  it(
    "does no harm",
    async () => {
      const aims = [...effects, ...deletionEffects, ...webhookEffects].flatMap((at) =>
        kinds.map((fault) => ({ at, fault })),
      );
      const orders = aims.map(({ at, fault }) => ({
        from: 1,
        count: at === "jobs.settle" ? 48 : effects.includes(at) ? 16 : 8, // bills are told late only at times
        profile: aimed(at, fault),
        trace: false,
      }));
      const tallies = await runOrders(orders);
      const commands = aims.flatMap((aim, place) => broken(tallies[place], { profile: "default", ...aim }));
      expect(commands).toEqual([]);

      const injected = new Set(tallies.flatMap((tally) => [...tally.injected.keys()]));
      const unhit = aims.map(({ at, fault }) => `${at} ${fault}`).filter((name) => !injected.has(name));
      expect(unhit).toEqual([]);
    },
    longMs,
  );
});

describe("a seed", () => {
  it("is the same world each time, on whichever thread", async () => {
    const order = { from: 1, count: 20, profile: "heavy", trace: false } as const;
    const [here, there] = [await runSeeds(order), await runOnThreads(order)];
    expect(there.hashes).toEqual(here.hashes);
    expect(new Set(here.hashes).size).toBe(20);
  });

  it.each(pinned)("$seed of profile $profile, which once showed that $once, does so no more", async (pin) => {
    const tally = await runSeeds({ from: pin.seed, count: 1, profile: pin.profile, trace: false });
    expect(broken(tally, pin)).toEqual([]);
  });
});
