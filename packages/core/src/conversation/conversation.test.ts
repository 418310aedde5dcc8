import { manualClock, seededRandom } from "@plantain/memory/clock";
import { memoryDownloader } from "@plantain/memory/downloader";
import { memoryJobs } from "@plantain/memory/jobs";
import { type ScriptedModel, scriptedModel } from "@plantain/memory/model";
import { memoryObjects } from "@plantain/memory/objects";
import { memoryPools } from "@plantain/memory/pools";
import { memoryQueue } from "@plantain/memory/queue";
import {
  sampleAnswer,
  sampleImage,
  sampleLimits,
  samplePolicy,
  sampleRegistry,
} from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { JobId } from "../id.ts";
import { memoryBudget } from "../job/memory-budget.ts";
import type { Answer } from "../job/ports.ts";
import { runAttempt } from "../job/run-attempt.ts";
import type { Submission } from "../job/submission.ts";
import { submit } from "../job/submit.ts";
import { mostTurns } from "./continue.ts";
import { turnsOf } from "./turns.ts";

const asked: Submission = {
  model: "nano-banana-pro",
  prompt: "An infographic",
  images: [],
  aspectRatio: null,
  imageSize: null,
  count: 1,
  output: "image",
  thinking: null,
  grounding: { web: false, images: false },
  safety: {},
  seed: null,
  continueFrom: null,
  deadlineMs: 1_800_000,
  metadata: {},
  webhook: null,
};

function world(model: ScriptedModel) {
  const clock = manualClock();
  const ports = {
    jobs: memoryJobs(),
    queue: memoryQueue(clock),
    objects: memoryObjects(),
    model,
    clock,
    random: seededRandom(),
    policy: samplePolicy,
    pools: memoryPools(),
    limits: sampleLimits,
    registry: sampleRegistry,
    defaultModel: "nano-banana-pro",
    memory: memoryBudget(1e9),
    downloader: memoryDownloader(),
  };
  const unsent = (error: unknown) => {
    throw error;
  };
  const work = async () => {
    const received = ports.queue.receive(60_000);
    if (!received) throw new Error("No message is visible");
    return runAttempt(ports, received.jobId, received.message, () => 600_000);
  };
  const read = async (id: JobId) => {
    const record = await ports.jobs.read(id);
    if (!record) throw new Error("No such job");
    return record;
  };
  /** A turn that has succeeded. */
  const turn = async (about: Partial<Submission> = {}, tenant = "acme") => {
    const { job } = await submit(ports, tenant, { ...asked, ...about }, null, unsent);
    await work();
    return read(job.id);
  };
  const from = (id: JobId, index = 0) => ({ continueFrom: { jobId: id, index } });
  return { ports, turn, from, work, read, unsent };
}

const words = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe("a job that continues another", () => {
  it("sends every turn before it, in order, each picture and signature where it was", async () => {
    const two = sampleImage("interim");
    const last = sampleImage("second");
    const second: Answer = {
      ...sampleAnswer("second"),
      type: "image",
      image: last,
      parts: [
        { type: "text", text: "Here it is", signature: "s-text" },
        { type: "image", image: two, signature: "s-interim" },
        { type: "image", image: last, signature: "s-last" },
      ],
      text: "Here it is",
      grounding: null,
      upstream: {},
      usage: null,
    };
    const model = scriptedModel(sampleAnswer("first"), second, sampleAnswer("third"));
    const { turn, from } = world(model);
    const a = await turn({ prompt: "Photosynthesis" });
    const b = await turn({ prompt: "In Spanish", ...from(a.job.id) });
    const c = await turn({ prompt: "At 2K", imageSize: "2K", ...from(b.job.id) });
    expect(c.request.history).toMatchObject([
      { jobId: a.job.id, index: 0 },
      { jobId: b.job.id, index: 0 },
    ]);
    expect(c.request.warnings).toEqual([]);
    const sent = model.calls[2];
    expect(sent).toMatchObject({ prompt: "At 2K", images: [], imageSize: "2K" });
    expect(sent?.history.map(({ prompt }) => prompt)).toEqual(["Photosynthesis", "In Spanish"]);
    const reply = sent?.history.map((each) =>
      each.reply.map((part) => (part.type === "text" ? part : { ...part, bytes: words(part.bytes) })),
    );
    expect(reply).toEqual([
      [{ type: "image", mediaType: "image/png", bytes: "first", signature: "signature of first" }],
      [
        { type: "text", text: "Here it is", signature: "s-text" },
        { type: "image", mediaType: "image/png", bytes: "interim", signature: "s-interim" },
        { type: "image", mediaType: "image/png", bytes: "second", signature: "s-last" },
      ],
    ]);
  });

  it("branches: two jobs may go on from the same turn, and from any of its images", async () => {
    const { turn, from } = world(scriptedModel(sampleAnswer("a0"), sampleAnswer("a1"), sampleAnswer("b")));
    const a = await turn({ count: 2 });
    const left = await turn(from(a.job.id, 0));
    const right = await turn(from(a.job.id, 1));
    expect(left.request.history).toMatchObject([{ jobId: a.job.id, index: 0 }]);
    expect(right.request.history).toMatchObject([{ jobId: a.job.id, index: 1 }]);
  });

  it("can be read back turn by turn", async () => {
    const { ports, turn, from } = world(scriptedModel(sampleAnswer()));
    const a = await turn({ prompt: "One" });
    const b = await turn({ prompt: "Two", ...from(a.job.id) });
    const turns = await turnsOf(ports.jobs, b);
    expect(turns.map(({ record }) => record.request.prompt)).toEqual(["One", "Two"]);
  });
});

describe("when the turns before can't be used, the last image and the instruction go, and the job says so", () => {
  it("for another model: known at submit", async () => {
    const model = scriptedModel(sampleAnswer("first"), sampleAnswer("second"), sampleAnswer("third"));
    const { turn, from } = world(model);
    const a = await turn();
    const b = await turn({ model: "gemini-nano-banana-2.1", ...from(a.job.id) });
    expect(b.request).toMatchObject({
      history: [],
      warnings: [expect.stringContaining("gemini-3-pro-image")],
    });
    expect(model.calls[1]?.history).toEqual([]);
    expect(words(model.calls[1]?.images[0]?.bytes)).toBe("first");

    await turn({ model: "gemini-nano-banana-2.1", ...from(b.job.id) });
    const [turnB] = model.calls[2]?.history ?? [];
    expect(model.calls[2]?.history).toHaveLength(1);
    expect(
      turnB?.images.map(({ bytes }) => words(bytes)),
      "the turn is told as it was sent",
    ).toEqual(["first"]);
  });

  it("for a signature that Gemini rejects: tried again without the turns", async () => {
    const rejected: Answer = {
      type: "failure",
      failure: { code: "history_rejected", message: "Invalid thought signature", billed: "no" },
      usage: null,
    };
    const model = scriptedModel(
      sampleAnswer("first"),
      rejected,
      sampleAnswer("second"),
      sampleAnswer("third"),
    );
    const { ports, turn, from, work, read, unsent } = world(model);
    const a = await turn();
    const { job } = await submit(ports, "acme", { ...asked, ...from(a.job.id) }, null, unsent);
    expect(await work()).toMatchObject({ ended: "retried" });
    expect(await work()).toMatchObject({ ended: "succeeded" });
    expect(model.calls.map(({ history }) => history.length)).toEqual([0, 1, 0]);
    const { result } = await read(job.id);
    expect(result).toMatchObject({
      images: [{ usedHistory: false }],
      warnings: [expect.stringContaining("Gemini rejected them")],
    });

    const c = await turn(from(job.id));
    expect(c.request.history, "the rejected turn isn't sent again").toMatchObject([
      { jobId: job.id, index: 0 },
    ]);
  });

  it("for a turn that is gone", async () => {
    const model = scriptedModel(sampleAnswer("first"), sampleAnswer("second"), sampleAnswer("third"));
    const { ports, turn, from } = world(model);
    const a = await turn();
    const outcome = `meta/acme/${a.job.id}/1/0.json`;
    const get = ports.objects.get;
    ports.objects.get = (key) => (key === outcome ? Promise.resolve(null) : get(key));
    const b = await turn(from(a.job.id));
    expect(b.result?.warnings).toEqual([expect.stringContaining("no longer there")]);
    expect(words(model.calls[1]?.images[0]?.bytes)).toBe("first");
  });
});

describe("continue_from is refused", () => {
  it("at the depth limit, with the remedy", async () => {
    const { turn, from } = world(scriptedModel(sampleAnswer()));
    let last = await turn();
    for (let depth = 2; depth <= mostTurns; depth += 1) last = await turn(from(last.job.id));
    expect(last.request.history).toHaveLength(31);
    await expect(turn(from(last.job.id))).rejects.toMatchObject({
      code: "conversation_too_long",
      field: "continue_from",
    });
  });

  it.each([
    ["an unknown job", "job_01m82v7m00fzzvzzzzzzzzzzzz" as const, 0, "source_job_not_found"],
    ["an image that isn't there", null, 3, "source_image_not_found"],
  ])("for %s", async (_name, id, index, code) => {
    const { turn, from } = world(scriptedModel(sampleAnswer()));
    const a = await turn();
    await expect(turn(from(id ?? a.job.id, index))).rejects.toMatchObject({ code });
  });

  it("for a job that failed, or is another tenant's", async () => {
    const failure = { code: "too_large", message: "Too large", billed: "no" } as const;
    const { turn, from } = world(scriptedModel({ type: "failure", failure, usage: null }, sampleAnswer()));
    const failed = await turn();
    await expect(turn(from(failed.job.id))).rejects.toMatchObject({ code: "source_job_not_succeeded" });
    const foreign = await turn({}, "other");
    await expect(turn(from(foreign.job.id))).rejects.toMatchObject({ code: "source_job_not_found" });
  });

  it("when its image makes one reference image too many", async () => {
    const { turn, from } = world(scriptedModel(sampleAnswer()));
    const a = await turn({ model: "nano-banana" });
    const images = Array.from({ length: 3 }, () => ({ type: "job", jobId: a.job.id, index: 0 }) as const);
    await expect(turn({ model: "nano-banana", images, ...from(a.job.id) })).rejects.toMatchObject({
      field: "images",
    });
  });
});
