import { describe, expect, it } from "vitest";
import { crowded } from "./profiles.ts";
import { drained } from "./simulate.ts";
import { world } from "./world.ts";

const longMs = 300_000;

/** What lies between a message and its attempt: sends, receives, a cold start, looks at pools. */
const overheadMs = 5_000;
const singles = 4;
/** To look whether they are over takes a while beside ten thousand others. */
const eventsBetweenLooks = 500;

/** Runs a world with a crowd until the other tenant's jobs are over. */
async function amidTheCrowd(seed: number, size: number) {
  const { timeline, witness, queue } = world(seed, { ...crowded, crowd: size }, null);
  const of = (tenant: string) => [...witness.jobs.values()].filter(({ job }) => job.tenant === tenant);
  const startedAt = timeline.now;
  const isDone = () => of("single").filter(({ endedAt }) => endedAt !== null).length === singles;
  for (let events = 1; witness.violations.length === 0 && timeline.step(); events += 1) {
    await drained();
    if (events % eventsBetweenLooks === 0 && isDone()) break;
  }
  return {
    violations: witness.violations,
    minutes: (timeline.now - startedAt) / 60_000,
    waits: of("single").map(({ job, createdAt }) => (job.startedAt ?? timeline.now) - createdAt),
    longestCall: Math.max(...witness.ledger.map((call) => (call.endedAt ?? timeline.now) - call.startedAt)),
    crowd: of("crowd").map(({ job }) => job),
    messages: queue.sent,
  };
}

describe("a tenant with very many jobs waiting", () => {
  it.each([
    { size: 10_000, seed: 1 },
    { size: 500, seed: 2 },
    { size: 500, seed: 3 },
  ])(
    "delays another's single job by no more than one job's time, and goes on itself: $size jobs, seed $seed",
    async ({ size, seed }) => {
      const { violations, minutes, waits, longestCall, crowd, messages } = await amidTheCrowd(seed, size);
      expect(violations).toEqual([]);
      expect(crowd).toHaveLength(size);
      expect(waits).toHaveLength(singles);
      expect(Math.max(...waits)).toBeLessThan(longestCall + overheadMs);
      const done = crowd.filter(({ status }) => status === "succeeded").length;
      expect(done / minutes, "jobs a minute, of which 16 at once take some 20 s each").toBeGreaterThan(8);
      const held = crowd.filter((job) => job.status === "queued" && job.held !== null);
      expect(held.length).toBeGreaterThan(size * 0.7);
      // The sweep knocks for a job whose message has waited in the queue for a minute
      expect(messages, "and these cost none while they wait").toBeLessThan(
        1.1 * (size - held.length + waits.length),
      );
    },
    longMs,
  );
});
