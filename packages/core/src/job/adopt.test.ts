import { memoryObjects } from "@plantain/memory/objects";
import { sampleRunning } from "@plantain/memory/samples";
import { beforeEach, describe, expect, it } from "vitest";
import { sha256Hex } from "../hash.ts";
import { encodeJson } from "../json.ts";
import { adopt, paidCall } from "./adopt.ts";
import { type Attempt, abandoned, unknownCall } from "./attempt.ts";
import { imageKey, inputKey, metaPrefix, outcomeKey, partKey } from "./keys.ts";
import type { Outcome } from "./outcome.ts";
import type { Objects } from "./ports.ts";

const job = sampleRunning({ fence: 5 });
const usage = { inputText: 5, inputImage: 0, outputText: 0, outputImage: 1_120, thinking: 200 };
const refusal = {
  code: "content_blocked.output",
  message: "Withheld",
  billed: "yes",
  upstream: { finishReason: "IMAGE_SAFETY" },
} as const;

const image = (fence: number, index: number): Outcome => ({
  type: "image",
  image: {
    index,
    fence,
    key: imageKey(job, fence, index),
    mediaType: "image/png",
    width: 1024,
    height: 1024,
    bytes: 7,
    sha256: sha256Hex("picture"),
    usedHistory: true,
  },
  text: null,
  grounding: null,
  parts: [],
  fetched: [],
  historyUnused: null,
  upstream: { status: 200 },
  cost: 100 * fence + index,
  usage,
});
const refused = (index: number): Outcome => ({
  type: "refused",
  index,
  failure: refusal,
  cost: 9,
  usage: null,
});

/** The line of an attempt that was lost while it paid for these images. */
const lost = (fence: number, ...paying: number[]): Attempt =>
  abandoned({ ...job, fence, paying }, "worker_lost", 1);

describe("what earlier attempts left", () => {
  let objects: Objects;
  beforeEach(() => {
    objects = memoryObjects();
  });

  async function storePicture(fence: number, index: number): Promise<void> {
    const about = { mediaType: "image/png", sha256: sha256Hex("picture") };
    await objects.put(imageKey(job, fence, index), [new TextEncoder().encode("picture")], about);
  }
  async function storeOutcome(fence: number, index: number, outcome: Outcome): Promise<void> {
    const { bytes, ...about } = encodeJson(outcome);
    await objects.put(outcomeKey(job, fence, index), bytes, about);
  }
  const adopted = async (...earlier: Attempt[]) => {
    const { outcomes, bills } = await adopt(objects, job, earlier);
    return { outcomes: Object.fromEntries(outcomes), bills: Object.fromEntries(bills) };
  };

  it("is nothing where nothing was stored", async () => {
    expect(await adopted(lost(1, 0))).toEqual({ outcomes: {}, bills: {} });
  });

  it("is an outcome with its picture, and what it cost", async () => {
    await storeOutcome(1, 0, image(1, 0));
    await storePicture(1, 0);
    expect(await adopted(lost(1, 0))).toEqual({
      outcomes: { 0: image(1, 0) },
      bills: { 1: [{ ...unknownCall(0), billed: "yes", usage, cost: 100, upstream: { status: 200 } }] },
    });
  });

  it("is only a bill where the picture is missing", async () => {
    await storeOutcome(1, 0, image(1, 0));
    const { outcomes, bills } = await adopted(lost(1, 0));
    expect(outcomes).toEqual({});
    expect(bills).toMatchObject({ 1: [{ billed: "yes", cost: 100 }] });
  });

  it("is a refusal for good, which has no picture", async () => {
    await storeOutcome(1, 0, refused(0));
    const { outcomes, bills } = await adopted(lost(1, 0));
    expect(outcomes).toEqual({ 0: refused(0) });
    expect(bills).toMatchObject({ 1: [{ billed: "yes", cost: 9, upstream: refusal.upstream }] });
  });

  it("is the first that is whole for each image, in the order of attempts, not of names", async () => {
    const late = { ...job, fence: 12 };
    for (const [fence, index] of [
      [10, 0],
      [9, 0],
      [2, 0],
      [10, 1],
    ] as const) {
      await storeOutcome(fence, index, image(fence, index));
      if (fence !== 2) await storePicture(fence, index);
    }
    const { outcomes } = await adopt(objects, late, []);
    expect([...outcomes].map(([index, outcome]) => [index, outcome.cost])).toEqual([
      [0, 900],
      [1, 1_001],
    ]);
  });

  it("is in the order of attempts and then of images, however the store lists them", async () => {
    for (const fence of [1, 2]) {
      for (const index of [0, 1, 2, 12]) await storeOutcome(fence, index, refused(index));
    }
    const keys = await objects.list("");
    for (const listed of [keys, keys.toReversed()]) {
      const { outcomes } = await adopt({ ...objects, list: async () => listed }, job, []);
      expect([...outcomes.keys()]).toEqual([0, 1, 2, 12]);
    }
  });

  it("is nothing of this attempt's own or of a later one's", async () => {
    for (const fence of [5, 6]) {
      await storeOutcome(fence, 0, image(fence, 0));
      await storePicture(fence, 0);
    }
    expect(await adopted()).toEqual({ outcomes: {}, bills: {} });
  });

  it("is told apart from reference images and interim pictures", async () => {
    const about = { mediaType: "image/png", sha256: sha256Hex("x") };
    const bytes = [new TextEncoder().encode("x")];
    const names = ["1/0.json.bak", "in/1/0.json", "1/a.json", "a/0.json", "1/0xjson"];
    const others = names.map((name) => `${metaPrefix(job)}${name}`);
    for (const key of [inputKey(job, "ab"), partKey(job, 1, 0, 0), ...others])
      await objects.put(key, bytes, about);
    expect(await adopted(lost(1, 0))).toEqual({ outcomes: {}, bills: {} });
  });

  it("may be gone between the list and the look", async () => {
    await storeOutcome(1, 0, refused(0));
    const gone: Objects = { ...objects, get: () => Promise.resolve(null) };
    const { outcomes, bills } = await adopt(gone, job, [lost(1, 0)]);
    expect([outcomes.size, bills.size]).toEqual([0, 0]);
  });

  it("bills each attempt for its own calls, and leaves a call unknown of which nothing was stored", async () => {
    await storeOutcome(1, 1, refused(1));
    await storeOutcome(2, 0, image(2, 0));
    const { bills } = await adopted(lost(1, 0, 1), lost(2, 0), lost(3, 0));
    expect(bills).toEqual({
      1: [unknownCall(0), paidCall(1, refused(1))],
      2: [paidCall(0, image(2, 0))],
    });
  });

  it("bills nothing again that was settled", async () => {
    await storeOutcome(1, 0, refused(0));
    const settled: Attempt = { ...lost(1), calls: [{ ...unknownCall(0), billed: "no" }] };
    expect((await adopted(settled)).bills).toEqual({});
  });

  it("is never read where it isn't what we store", async () => {
    const { bytes, ...about } = encodeJson({ type: "image" });
    await objects.put(outcomeKey(job, 1, 0), bytes, about);
    await expect(adopted()).rejects.toThrow("historyUnused");
  });
});

describe("the bill that an outcome tells", () => {
  it("of a refusal is what its failure says, with no word of Gemini where there was none", () => {
    const { upstream: _, ...silent } = refusal;
    const outcome: Outcome = {
      ...refused(2),
      type: "refused",
      index: 2,
      failure: { ...silent, billed: "no" },
    };
    const { failure } = outcome;
    expect(paidCall(2, outcome)).toEqual({ ...unknownCall(2), billed: "no", cost: 9, failure });
  });
});
