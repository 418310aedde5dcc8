import { manualClock } from "@plantain/memory/clock";
import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { RunningJob } from "./job.ts";
import { ownJob } from "./own-job.ts";
import type { Jobs } from "./ports.ts";
import { transition } from "./transition.ts";

const now = Date.UTC(2026, 10, 1);
const fence = 1;

/** A job that was claimed, and how often the store refused a write of it. */
async function world() {
  const memory = memoryJobs();
  let refused = 0;
  const jobs: Jobs = {
    ...memory,
    async write(...asked) {
      const written = await memory.write(...asked);
      if (!written.written) refused += 1;
      return written;
    },
  };
  const job = sampleJob();
  await jobs.create(job, sampleRequest(), null, now);
  const { job: claimed } = await transition(jobs, job, { type: "claimed", at: now }, samplePolicy);
  if (claimed?.status !== "running") throw new Error("Cannot claim the job");
  return { jobs, claimed, refused: () => refused };
}
const beaten = (at: number) => ({ type: "beaten", at, fence }) as const;

describe("the owner of an attempt", () => {
  it("writes each time over what it wrote last, and isn't refused", async () => {
    const w = await world();
    const own = ownJob({ jobs: w.jobs, policy: samplePolicy }, w.claimed);
    for (const at of [now + 1, now + 2, now + 3]) await own.tell(beaten(at));
    expect(await w.jobs.load(w.claimed.id)).toMatchObject({ version: w.claimed.version + 3 });
    expect(w.refused()).toBe(0);
    expect(own.claimed, "which stays what was claimed").toEqual(w.claimed);
  });

  it("writes over the latest of its own also where it heard of an earlier one after that", async () => {
    const w = await world();
    const clock = manualClock();
    let writes = 0;
    const jobs: Jobs = {
      ...w.jobs,
      async write(...asked) {
        writes += 1;
        const isFirst = writes === 1;
        const written = await w.jobs.write(...asked);
        if (isFirst) await clock.sleep(1_000);
        return written;
      },
    };
    const own = ownJob({ jobs, policy: samplePolicy }, w.claimed);
    const slow = own.tell(beaten(now + 1));
    await own.tell(beaten(now + 2));
    expect(w.refused(), "of what nobody had heard yet").toBe(1);
    await clock.advance(1_000);
    await slow;
    await own.tell(beaten(now + 3));
    expect(w.refused()).toBe(1);
  });

  it("is told as often as it asks that its job isn't there any more", async () => {
    const w = await world();
    const gone: RunningJob = { ...w.claimed, id: sampleJob().id };
    const own = ownJob({ jobs: w.jobs, policy: samplePolicy }, gone);
    for (const at of [now + 1, now + 2])
      expect(await own.tell(beaten(at))).toEqual({ refused: "absent", job: null });
  });
});
