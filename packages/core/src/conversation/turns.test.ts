import { memoryJobs } from "@plantain/memory/jobs";
import { storeSucceeded } from "@plantain/memory/succeeded";
import { describe, expect, it } from "vitest";
import type { JobRecord, Jobs } from "../job/ports.ts";
import type { TurnRef } from "../job/request.ts";
import { turnsOf } from "./turns.ts";

/** A conversation of so many turns; the last one. */
async function conversation(jobs: Jobs, length: number): Promise<JobRecord> {
  let continueFrom: TurnRef | null = null;
  for (let turn = 1; ; turn += 1) {
    const record = await storeSucceeded(jobs, { request: { prompt: `Turn ${turn}`, continueFrom } });
    if (turn === length) return record;
    continueFrom = { jobId: record.job.id, index: 0 };
  }
}

const prompts = async (jobs: Jobs, last: JobRecord) =>
  (await turnsOf(jobs, last)).map(({ record }) => record.request.prompt);

describe("a conversation", () => {
  it("is read from its first turn to the one that is asked for", async () => {
    const jobs = memoryJobs();
    const last = await conversation(jobs, 3);
    expect(await prompts(jobs, last)).toEqual(["Turn 1", "Turn 2", "Turn 3"]);
  });

  it("tells of each turn which image the next went on from, and of the last the first that came", async () => {
    const jobs = memoryJobs();
    const first = await storeSucceeded(jobs, { images: [{}, {}] });
    const continueFrom = { jobId: first.job.id, index: 1 };
    const last = await storeSucceeded(jobs, {
      request: { continueFrom },
      images: [{ index: 2 }, { index: 3 }],
    });
    expect((await turnsOf(jobs, last)).map(({ index }) => index)).toEqual([1, 2]);
  });

  it("counts the first image of a job that has none yet", async () => {
    const jobs = memoryJobs();
    const record = await storeSucceeded(jobs);
    expect(await turnsOf(jobs, { ...record, result: null })).toMatchObject([{ index: 0 }]);
  });

  it("begins behind a turn that was deleted", async () => {
    const jobs = memoryJobs();
    const last = await conversation(jobs, 4);
    const read: Jobs["read"] = async (id) => {
      const record = await jobs.read(id);
      return record?.request.prompt === "Turn 2" ? null : record;
    };
    expect(await prompts({ ...jobs, read }, last)).toEqual(["Turn 3", "Turn 4"]);
  });

  it("is read back for a hundred turns at most, the latest", async () => {
    const jobs = memoryJobs();
    const last = await conversation(jobs, 102);
    const read = await prompts(jobs, last);
    expect(read).toHaveLength(100);
    expect([read[0], read.at(-1)]).toEqual(["Turn 3", "Turn 102"]);
  });
});
