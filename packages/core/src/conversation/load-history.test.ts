import { memoryJobs } from "@plantain/memory/jobs";
import { memoryObjects } from "@plantain/memory/objects";
import { storeSucceeded } from "@plantain/memory/succeeded";
import { beforeEach, describe, expect, it } from "vitest";
import { sha256Hex } from "../hash.ts";
import type { Job } from "../job/job.ts";
import { inputKey, outcomeKey } from "../job/keys.ts";
import type { ImageOutcome, Outcome, StoredPart } from "../job/outcome.ts";
import type { JobRecord, Jobs, Objects } from "../job/ports.ts";
import type { InputImage, JobRequest } from "../job/request.ts";
import { encodeJson } from "../json.ts";
import { loadHistory } from "./load-history.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const picture = (text: string) => ({ mediaType: "image/png", bytes: bytesOf(text) });
const input = (text: string): InputImage => ({
  sha256: sha256Hex(text),
  mediaType: "image/png",
  bytes: text.length,
  width: 1,
  height: 1,
  source: null,
});

/** What the call for this image of a job came to. */
function drawn({ job, result }: JobRecord, index: number, about: Partial<ImageOutcome> = {}): ImageOutcome {
  const image = result?.images[index];
  if (!image) throw new Error(`Job "${job.id}" has no image ${index}`);
  return {
    type: "image",
    image,
    text: null,
    grounding: null,
    parts: [],
    fetched: [],
    historyUnused: null,
    upstream: null,
    cost: null,
    usage: null,
    ...about,
  };
}

describe("the turns of a conversation", () => {
  let jobs: Jobs;
  let objects: Objects;
  beforeEach(() => {
    jobs = memoryJobs();
    objects = memoryObjects();
  });

  const store = (key: string, text: string) =>
    objects.put(key, [bytesOf(text)], { mediaType: "image/png", sha256: sha256Hex(text) });
  const load = (...turns: readonly { readonly job: { readonly id: JobRecord["job"]["id"] } }[]) =>
    loadHistory(
      { jobs, objects },
      turns.map(({ job }) => ({ jobId: job.id, index: 0 })),
    );

  /** A turn that was answered with these parts. */
  async function turn(
    request: Partial<JobRequest>,
    parts: readonly StoredPart[] = [],
    historyUnused: string | null = null,
  ): Promise<JobRecord> {
    const record = await storeSucceeded(jobs, { request });
    const { job } = record;
    await storeOutcome(job, 1, 0, drawn(record, 0, { parts: [...parts], historyUnused }));
    for (const image of [...(request.images ?? []), ...(request.continued ? [request.continued] : [])]) {
      if ("url" in image) continue;
      const { sha256 } = image;
      const text = ["a", "b", "last"].find((name) => sha256Hex(name) === sha256);
      if (text !== undefined) await store(inputKey(job, sha256), text);
    }
    return record;
  }
  async function storeOutcome(job: Job, fence: number, index: number, outcome: Outcome): Promise<void> {
    const { bytes, ...about } = encodeJson(outcome);
    await objects.put(outcomeKey(job, fence, index), bytes, about);
  }

  it("are what was asked and what was answered, part by part, in order", async () => {
    await store("interim", "interim");
    await store("result", "result");
    const one = await turn({ prompt: "One", images: [input("a"), input("b")] }, [
      { type: "text", text: "Let me see", signature: "s0" },
      { type: "image", key: "interim", mediaType: "image/png", signature: null },
      { type: "image", key: "result", mediaType: "image/png", signature: "s1" },
    ]);
    const two = await turn({ prompt: "Two" });
    expect(await load(one, two)).toEqual([
      {
        prompt: "One",
        images: [picture("a"), picture("b")],
        reply: [
          { type: "text", text: "Let me see", signature: "s0" },
          { type: "image", ...picture("interim"), signature: null },
          { type: "image", ...picture("result"), signature: "s1" },
        ],
      },
      { prompt: "Two", images: [], reply: [] },
    ]);
  });

  it("begin with the image that a turn went on from where it was sent without its history", async () => {
    const request = { images: [input("a")], continued: input("last") };
    const alone = await turn(request, [], "Gemini rejected them");
    expect(await load(alone)).toMatchObject([{ images: [picture("last"), picture("a")] }]);
    const withHistory = await turn(request);
    expect(await load(withHistory)).toMatchObject([{ images: [picture("a")] }]);
    const nothingBefore = await turn({ images: [input("a")] }, [], "they are another model's");
    expect(await load(nothingBefore)).toMatchObject([{ images: [picture("a")] }]);
  });

  it("are found under the attempt that made the image", async () => {
    const record = await storeSucceeded(jobs, {
      request: { prompt: "Two images" },
      images: [{}, { fence: 3 }],
    });
    await storeOutcome(record.job, 3, 1, drawn(record, 1));
    const turns = [{ jobId: record.job.id, index: 1 }];
    expect(await loadHistory({ jobs, objects }, turns)).toMatchObject([{ prompt: "Two images" }]);
  });

  it("are none where there are none", async () => {
    expect(await load()).toEqual([]);
  });

  describe("can't be used, not even in part,", () => {
    const unusable = ({ job }: { job: { id: string } }) => ({
      unusable: `turn "${job.id}" is no longer there`,
    });

    it("when a job is gone", async () => {
      const gone = { job: { id: "job_01m82v7m00fzzvzzzzzzzzzzzz" } } as const;
      expect(await load(await turn({}), gone)).toEqual(unusable(gone));
    });

    it("when the image that was gone on from is none of the job's", async () => {
      const there = await turn({});
      const turns = [{ jobId: there.job.id, index: 1 }];
      expect(await loadHistory({ jobs, objects }, turns)).toEqual(unusable(there));
    });

    it("when a job has no result any more", async () => {
      const there = await turn({});
      const read: Jobs["read"] = async (id) => {
        const record = await jobs.read(id);
        return record && { ...record, result: null };
      };
      const turns = [{ jobId: there.job.id, index: 0 }];
      expect(await loadHistory({ jobs: { ...jobs, read }, objects }, turns)).toEqual(unusable(there));
    });

    it("when its outcome is gone, or is a refusal", async () => {
      const there = await storeSucceeded(jobs);
      expect(await load(there)).toEqual(unusable(there));
      await storeOutcome(there.job, 1, 0, {
        type: "refused",
        index: 0,
        failure: { code: "no_image", message: "None", billed: "no" },
        cost: null,
        usage: null,
      });
      expect(await load(there)).toEqual(unusable(there));
    });

    it("when a reference image is gone", async () => {
      const there = await turn({ images: [input("a"), input("never stored")] });
      expect(await load(there)).toEqual(unusable(there));
    });

    it("when a picture of the answer is gone", async () => {
      const there = await turn({}, [
        { type: "text", text: "Here", signature: null },
        { type: "image", key: "gone", mediaType: "image/png", signature: null },
      ]);
      expect(await load(there)).toEqual(unusable(there));
    });
  });
});
