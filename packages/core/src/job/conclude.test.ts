import { samplePolicy, sampleRegistry, sampleRequest, sampleRunning } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { Held } from "../capacity/held.ts";
import type { Model } from "../model/model.ts";
import { noUsage } from "../model/pricing.ts";
import { conclude, type More } from "./conclude.ts";
import type { Failure } from "./failure.ts";
import type { RunningJob } from "./job.ts";
import type { GroundingRecord, ImageOutcome, Outcome, StoredImage } from "./outcome.ts";
import type { JobRequest } from "./request.ts";

const overloaded: Failure = { code: "overloaded", message: "Busy", billed: "no" };
const timeout: Failure = { code: "timeout", message: "Too slow", billed: "unknown" };
const blocked: Failure = { code: "content_blocked.prompt", message: "Refused", billed: "no" };
const pro = sampleRegistry.choose("nano-banana-pro").model;
/** Of sizes that tolerances are easily reckoned with. */
const round: Model = { ...pro, pixels: { "1K": { "1:1": [1_000, 1_000], "16:9": [1_600, 900] } } };

type About = Partial<Omit<ImageOutcome, "image">> & { image?: Partial<StoredImage> };
const image = (index: number, { image: about, ...other }: About = {}): ImageOutcome => ({
  type: "image",
  image: {
    index,
    fence: 1,
    key: `out/${index}`,
    mediaType: "image/png",
    width: 1_000,
    height: 1_000,
    bytes: 7,
    sha256: "0".repeat(64),
    usedHistory: true,
    ...about,
  },
  text: null,
  grounding: null,
  parts: [],
  fetched: [],
  historyUnused: null,
  upstream: null,
  cost: 1,
  usage: noUsage,
  ...other,
});
const refusal = (index: number, failure = blocked): Outcome => ({
  type: "refused",
  index,
  failure,
  usage: noUsage,
  cost: 0,
});

type InHand = {
  job?: RunningJob;
  model?: Model | null;
  request?: Partial<JobRequest>;
  outcomes?: readonly Outcome[];
  failures?: readonly Failure[];
  more?: More | null;
  opensAt?: number | null;
  at?: number;
};
function concluded(inHand: InHand) {
  const { job = sampleRunning(), model = round, request, outcomes = [], failures = [] } = inHand;
  const { more = null, opensAt = null, at = job.claimedAt + 1_000 } = inHand;
  const asked = sampleRequest({ count: 2, ...request });
  return conclude(model, job, asked, outcomes, failures, more, { at, opensAt, random: 0.5 }, samplePolicy);
}
const warnings = (inHand: InHand) => concluded(inHand).result?.warnings;

describe("an attempt that has every image", () => {
  it("is a success, with the images in their order", () => {
    const { ended, failure, fact, result } = concluded({ outcomes: [image(1), image(0)] });
    expect({ ended, failure, fact }).toMatchObject({
      ended: "succeeded",
      failure: null,
      fact: { type: "succeeded", fence: 1 },
    });
    expect(result).toEqual({
      images: [image(0).image, image(1).image],
      text: null,
      grounding: null,
      fetched: [],
      warnings: [],
    });
  });

  it("tells once what the URLs led to, for every call sent the same", () => {
    const cat = {
      url: "https://example.com/cat",
      sha256: "00",
      mediaType: "image/png",
      bytes: 9,
      width: 3,
      height: 2,
    } as const;
    const outcomes = [image(0, { fetched: [cat] }), image(1, { fetched: [cat] })];
    expect(concluded({ outcomes }).result?.fetched).toEqual([cat]);
  });
});

describe("an attempt that left images untried", () => {
  const held: Held = { by: "model:m", reason: "model_limit", since: 0, until: null };

  it("gives the job back for them, and says what they have to wait for", () => {
    expect(concluded({ more: { reason: "model_limit", held } })).toMatchObject({
      ended: "released",
      reason: "model_limit",
      failure: null,
      fact: { type: "released", fence: 1, hasImages: false, held },
      result: null,
    });
  });

  it("tells the images that it has", () => {
    expect(concluded({ more: { reason: "worker_memory", held: null }, outcomes: [image(0)] })).toMatchObject({
      ended: "released",
      fact: { hasImages: true, held: null },
      result: { images: [{ index: 0 }] },
    });
  });

  it("is a retry where others failed", () => {
    const retried = concluded({
      more: { reason: "worker_memory", held: null },
      failures: [overloaded],
      outcomes: [image(0)],
    });
    expect(retried).toMatchObject({ ended: "retried", failure: overloaded });
    expect(retried).not.toHaveProperty("reason");
  });
});

describe("an attempt with a failure that may pass", () => {
  it("is a retry, that waits for the gate where that is known", () => {
    expect(concluded({ failures: [overloaded], outcomes: [image(0)], opensAt: 7 })).toMatchObject({
      ended: "retried",
      failure: overloaded,
      fact: {
        type: "attempt_failed",
        failures: [overloaded],
        hasImages: true,
        opensAt: 7,
        random: 0.5,
      },
      result: { images: [{ index: 0 }] },
    });
  });

  it("is one also where other images were refused for good, and tries only what may come", () => {
    const { fact, ended } = concluded({ failures: [overloaded], outcomes: [refusal(0)] });
    expect(ended).toBe("retried");
    expect(fact).toMatchObject({ failures: [overloaded], hasImages: false });
  });
});

describe("an attempt after which nothing more is tried", () => {
  it("is a failure where there is no image, and tells the one that ends the job", () => {
    expect(concluded({ outcomes: [refusal(0)] })).toMatchObject({
      ended: "failed",
      failure: blocked,
      fact: { type: "attempt_failed", failures: [blocked], hasImages: false },
      result: null,
    });
    const spent = sampleRunning({ spent: { timeout: 1 } });
    expect(concluded({ job: spent, failures: [overloaded, timeout] })).toMatchObject({
      ended: "failed",
      failure: timeout,
    });
  });

  it("tells its own failure where the next try would come after the deadline", () => {
    const job = sampleRunning();
    const at = job.deadlineAt - 1;
    expect(concluded({ job, failures: [overloaded], at })).toMatchObject({
      ended: "failed",
      failure: overloaded,
    });
  });

  it("is a success where there is an image, with a warning for each that is missing", () => {
    const partial = concluded({ outcomes: [refusal(1), image(0)] });
    expect(partial).toMatchObject({
      ended: "succeeded",
      failure: null,
      fact: { type: "attempt_failed", hasImages: true },
      result: {
        images: [{ index: 0 }],
        warnings: ["An image of the 2 is missing: content_blocked.prompt: Refused"],
      },
    });
    const job = sampleRunning({ spent: { timeout: 1 } });
    expect(warnings({ job, outcomes: [image(0), refusal(1)], failures: [timeout] })).toEqual([
      "An image of the 2 is missing: content_blocked.prompt: Refused",
      "An image of the 2 is missing: timeout: Too slow",
    ]);
  });

  it("cuts a long reason short", () => {
    const reason = (length: number) => ({ ...blocked, message: "x".repeat(length) });
    const said = (length: number) => warnings({ outcomes: [image(0), refusal(1, reason(length))] })?.[0];
    expect(said(300)).toMatch(/: x{300}$/);
    expect(said(301)).toMatch(/: x{300}…$/);
  });
});

describe("the text beside the images", () => {
  it("is put together in the order of the images", () => {
    const outcomes = [image(1, { text: "Two" }), image(2), image(0, { text: "One" })];
    expect(concluded({ outcomes }).result).toMatchObject({ text: "One\n\nTwo", warnings: [] });
  });

  it("is cut where it is too long to be stored, and a warning says so", () => {
    const whole = concluded({ outcomes: [image(0, { text: "x".repeat(20_000) })] });
    expect(whole.result?.text).toHaveLength(20_000);
    expect(whole.result?.warnings).toEqual([]);
    const outcomes = [image(0, { text: "x".repeat(20_001) }), image(1, { text: "short" })];
    const cut = concluded({ outcomes });
    expect(cut.result?.text).toMatch(/^x{20000}\n\nshort$/);
    expect(cut.result?.warnings).toEqual(["The text beside an image was cut at 20000 characters"]);
  });
});

describe("turns before that were not sent", () => {
  const history = [{ jobId: sampleRunning().id, index: 0, bytes: 1, images: 0 }];

  it("are told with the reason, once", () => {
    const unused = { historyUnused: "they are gone" };
    const outcomes = [image(0), image(1, unused), image(2, unused)];
    expect(warnings({ request: { history }, outcomes })).toEqual([
      "The turns before were not sent: they are gone; the image of the last one was sent instead",
    ]);
    expect(warnings({ request: { history }, outcomes: [image(0)] })).toEqual([]);
  });

  it("were told at submit where none were to be sent", () => {
    expect(warnings({ outcomes: [image(0, { historyUnused: "they are another model's" })] })).toEqual([]);
  });
});

describe("what the images rest on", () => {
  const grounding = (about: Partial<GroundingRecord>): GroundingRecord => ({
    webQueries: [],
    imageQueries: [],
    pages: [],
    pictures: [],
    widgets: [],
    ...about,
  });
  const merged = (...each: readonly (GroundingRecord | null)[]) =>
    concluded({ outcomes: each.map((grounding, index) => image(index, { grounding })) }).result?.grounding;
  const link = (page: string) => ({ page, title: null, domain: null });

  it("is shown of all of them, each source once", () => {
    const first = grounding({
      webQueries: ["a", "b"],
      imageQueries: ["c"],
      pages: [link("p"), link("q")],
      pictures: [{ ...link("p"), picture: "1" }],
      widgets: ["<w>"],
    });
    const second = grounding({
      webQueries: ["b", "d"],
      imageQueries: ["c", "e"],
      pages: [link("q")],
      pictures: [
        { ...link("p"), picture: "1" },
        { ...link("p"), picture: "2" },
        { ...link("q"), picture: "2" },
      ],
      widgets: ["<w>", "<v>"],
    });
    expect(merged(first, null, second)).toEqual({
      webQueries: ["a", "b", "d"],
      imageQueries: ["c", "e"],
      pages: [link("p"), link("q")],
      pictures: [
        { ...link("p"), picture: "1" },
        { ...link("p"), picture: "2" },
        { ...link("q"), picture: "2" },
      ],
      widgets: ["<w>", "<v>"],
    });
  });

  it("is a hundred sources of a kind at most", () => {
    const webQueries = Array.from({ length: 101 }, (_, at) => `query ${at}`);
    expect(merged(grounding({ webQueries }))?.webQueries).toEqual(webQueries.slice(0, 100));
  });

  it("is nothing where no image rests on a search", () => {
    expect(merged(null, null)).toBeNull();
  });
});

describe("an image of another size than was asked for", () => {
  const sized = (width: number, height: number, request: Partial<JobRequest>, model: Model | null = round) =>
    warnings({ model, request, outcomes: [image(3, { image: { width, height } })] });

  it("is told once it is more than a tenth off in either direction", () => {
    const square = { aspectRatio: "1:1" } as const;
    expect(sized(1_100, 900, square)).toEqual([]);
    expect(sized(1_101, 1_000, square)).toEqual([
      "Image 3 has 1101x1000 pixels where 1000x1000 were to be expected",
    ]);
    for (const [width, height] of [
      [899, 1_000],
      [1_000, 1_101],
      [1_000, 899],
    ] as const) {
      expect(sized(width, height, square), `${width}x${height}`).toHaveLength(1);
    }
  });

  it("is judged by the shape that was asked for, and by the size", () => {
    expect(sized(1_600, 900, { aspectRatio: "16:9" })).toEqual([]);
    expect(sized(1_000, 1_000, { aspectRatio: "16:9" })).toHaveLength(1);
    const large: Model = { ...round, pixels: { ...round.pixels, "2K": { "1:1": [2_000, 2_000] } } };
    expect(sized(1_000, 1_000, { aspectRatio: "1:1", imageSize: "2K" }, large)).toHaveLength(1);
    expect(sized(1_000, 1_000, { aspectRatio: "1:1" }, large)).toEqual([]);
  });

  it("may have any shape where none was asked for, of about as many pixels", () => {
    expect(sized(2_000, 500, {})).toEqual([]);
    expect(sized(1_300, 1_300, {})).toEqual([]);
    expect(sized(700, 700, {})).toEqual([]);
    expect(sized(1_302, 1_302, {})).toEqual([
      "Image 3 has 1302x1302 pixels where about as many as 1000x1000 were to be expected",
    ]);
    expect(sized(698, 698, {})).toHaveLength(1);
  });

  it("can't be told where nothing is known of what to expect", () => {
    expect(sized(1, 1, { aspectRatio: "21:9" })).toEqual([]);
    expect(sized(1, 1, { aspectRatio: "1:1" }, null)).toEqual([]);
  });
});
