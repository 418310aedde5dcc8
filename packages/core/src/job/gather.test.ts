import { memoryJobs } from "@plantain/memory/jobs";
import { memoryObjects } from "@plantain/memory/objects";
import { pngHeader } from "@plantain/memory/png";
import { sampleRequest, sampleRunning } from "@plantain/memory/samples";
import { storeSucceeded } from "@plantain/memory/succeeded";
import { beforeEach, describe, expect, it } from "vitest";
import { mostImageBytes } from "../conversation/continue.ts";
import { sha256Hex } from "../hash.ts";
import { encodeJson } from "../json.ts";
import { callFor, gather, type Material } from "./gather.ts";
import { linkedKey } from "./inputs.ts";
import { inputKey, outcomeKey } from "./keys.ts";
import type { Outcome } from "./outcome.ts";
import type { Jobs, Objects } from "./ports.ts";
import type { InputImage, JobRequest } from "./request.ts";

const job = sampleRunning();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What a test says of material: pictures as the texts that stand for them. */
const told = (material: Material | null) =>
  material && {
    images: material.images.map(({ bytes }) => text(bytes)),
    history: material.history.map(({ prompt }) => prompt),
    historyUnused: material.historyUnused,
  };

describe("the material of an attempt", () => {
  let jobs: Jobs;
  let objects: Objects;
  beforeEach(() => {
    jobs = memoryJobs();
    objects = memoryObjects();
  });

  /** A reference image of the job whose bytes are this text. */
  async function stored(name: string): Promise<InputImage> {
    const sha256 = sha256Hex(name);
    await objects.put(inputKey(job, sha256), [new TextEncoder().encode(name)], {
      mediaType: "image/png",
      sha256,
    });
    return { sha256, mediaType: "image/png", bytes: name.length, width: 1, height: 1, source: null };
  }
  const gone: InputImage = {
    sha256: sha256Hex("gone"),
    mediaType: "image/png",
    bytes: 4,
    width: 1,
    height: 1,
    source: null,
  };

  /** A turn to go on from, and how a job names it. */
  async function earlierTurn(prompt: string) {
    const record = await storeSucceeded(jobs, { request: { prompt } });
    const image = record.result?.images[0];
    if (!image) throw new Error("No image");
    const outcome: Outcome = {
      type: "image",
      image,
      text: null,
      grounding: null,
      parts: [{ type: "text", text: "Here", signature: null }],
      fetched: [],
      historyUnused: null,
      upstream: null,
      cost: null,
      usage: null,
    };
    const { bytes, ...about } = encodeJson(outcome);
    await objects.put(outcomeKey(record.job, 1, 0), bytes, about);
    return { jobId: record.job.id, index: 0, bytes: 1_000, images: 0 };
  }

  const gathered = async (about: Partial<JobRequest>, of = job) =>
    told(await gather({ jobs, objects }, of, sampleRequest(about)));

  it("is the reference images where the job goes on from nothing", async () => {
    expect(await gathered({ images: [await stored("a"), await stored("b")] })).toEqual({
      images: ["a", "b"],
      history: [],
      historyUnused: null,
    });
  });

  it("is the turns before and the reference images where they can be sent: then the last image is among them", async () => {
    const history = [await earlierTurn("One"), await earlierTurn("Two")];
    const about = { images: [await stored("a")], continued: await stored("last"), history };
    expect(await gathered(about)).toEqual({ images: ["a"], history: ["One", "Two"], historyUnused: null });
  });

  it("is led by the last image where the turns are another model's", async () => {
    const about = { images: [await stored("a")], continued: await stored("last"), history: [] };
    expect(await gathered(about)).toEqual({
      images: ["last", "a"],
      history: [],
      historyUnused: "they are another model's",
    });
  });

  it("is led by the last image once Gemini rejected the turns", async () => {
    const about = { continued: await stored("last"), history: [await earlierTurn("One")] };
    expect(await gathered(about, { ...job, spent: { history_rejected: 1 } })).toEqual({
      images: ["last"],
      history: [],
      historyUnused: "Gemini rejected them",
    });
  });

  it("is led by the last image where the turns are too heavy beside an image by URL", async () => {
    const link = { url: "https://example.com/cat" };
    const cat = pngHeader(3, 2);
    await objects.put(linkedKey(job, link), [cat], { mediaType: "image/png", sha256: sha256Hex(cat) });
    const weighing = async (bytes: number) => [{ ...(await earlierTurn("One")), bytes }];
    const continued = await stored("last");
    const left = mostImageBytes - cat.length;
    const fitting = { images: [link], continued, history: await weighing(left) };
    expect(await gathered(fitting)).toMatchObject({ history: ["One"], historyUnused: null });
    const tooHeavy = { images: [link], continued, history: await weighing(left + 1) };
    expect(await gathered(tooHeavy)).toMatchObject({
      images: ["last", text(cat)],
      history: [],
      historyUnused: "their images are over 60 MB together",
    });
  });

  it("tells what images by URL turned out to be", async () => {
    const link = { url: "https://example.com/cat" };
    const cat = pngHeader(3, 2);
    const sha256 = sha256Hex(cat);
    await objects.put(linkedKey(job, link), [cat], { mediaType: "image/png", sha256 });
    const known = { sha256, mediaType: "image/png", bytes: cat.length, width: 3, height: 2 };
    const of = (about: Partial<JobRequest>) => gather({ jobs, objects }, job, sampleRequest(about));
    const images = [await stored("a"), link];
    expect(await of({ images })).toMatchObject({ fetched: [{ ...link, ...known }] });
    const continued = await stored("last");
    expect(await of({ images, continued })).toMatchObject({ fetched: [{ ...link, ...known }] });
    const history = [await earlierTurn("One")];
    expect(await of({ images, continued, history })).toMatchObject({ fetched: [{ ...link, ...known }] });
  });

  it("is led by the last image where a turn is gone", async () => {
    const jobId = "job_01m82v7m00fzzvzzzzzzzzzzzz";
    const history = [await earlierTurn("One"), { jobId, index: 0, bytes: 1, images: 0 } as const];
    expect(await gathered({ continued: await stored("last"), history })).toEqual({
      images: ["last"],
      history: [],
      historyUnused: `turn "${jobId}" is no longer there`,
    });
  });

  it("is null where a picture that has to be sent is gone", async () => {
    expect(await gathered({ images: [gone] })).toBeNull();
    expect(await gathered({ images: [gone], continued: await stored("last") })).toBeNull();
    expect(await gathered({ continued: gone })).toBeNull();
  });

  it("doesn't need the last image where the turns are sent", async () => {
    const about = { continued: gone, history: [await earlierTurn("One")] };
    expect(await gathered(about)).toMatchObject({ images: [], history: ["One"] });
  });
});

describe("the call for an image", () => {
  const material: Material = {
    images: [{ mediaType: "image/png", bytes: new Uint8Array(3) }],
    history: [{ prompt: "One", images: [], reply: [] }],
    fetched: [],
    historyUnused: null,
  };
  const request = sampleRequest({
    prompt: "Two",
    aspectRatio: "16:9",
    imageSize: "2K",
    output: "image_and_text",
    thinking: "high",
    grounding: { web: true, images: false },
    safety: { harassment: "off" },
    seed: 40,
  });

  it("has what was asked for and the material, for the model that serves the job", () => {
    expect(callFor(job, "first", request, material, 0)).toMatchObject({
      model: job.model,
      history: material.history,
      prompt: "Two",
      images: material.images,
      aspectRatio: "16:9",
      imageSize: "2K",
      output: "image_and_text",
      thinking: "high",
      grounding: { web: true, images: false },
      safety: { harassment: "off" },
      seed: 40,
    });
  });

  it("has the next seed for each further image, or all would be alike; and none where none was given", () => {
    expect([0, 1, 3].map((index) => callFor(job, "first", request, material, index).seed)).toEqual([
      40, 41, 43,
    ]);
    expect(callFor(job, "first", { ...request, seed: 0 }, material, 2).seed).toBe(2);
    expect(callFor(job, "first", { ...request, seed: null }, material, 2).seed).toBeNull();
  });
});
