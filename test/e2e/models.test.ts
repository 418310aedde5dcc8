import { inspect } from "@plantain/core/image/inspect";
import { costOf, nanodollars } from "@plantain/core/model/pricing";
import { registryOf } from "@plantain/core/model/registry";
import type { System } from "@plantain/local/system";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { type Client, type Job, ledgerAt } from "./client.ts";
import { startTestSystem } from "./system.ts";

vi.setConfig({ testTimeout: 60_000 });

const registry = registryOf({ retired: "serve", overrides: [] });

let system: System;
let client: Client;
beforeAll(async () => {
  ({ system, client } = await startTestSystem({ latencyMs: 5 }));
}, 60_000);
afterAll(() => system.stop());

const make = async (body: unknown): Promise<Job> => client.end((await client.submit(body)).id);
const fetched = async (job: Job) =>
  new Uint8Array(await (await fetch(job.images[0]?.url ?? "")).arrayBuffer());

describe("the examples of Google's image-generation guide", () => {
  it("text to image", async () => {
    const job = await make({
      model: "nano-banana",
      prompt: "A photorealistic close-up of a nano banana dish in a fancy restaurant",
    });
    expect(job).toMatchObject({ status: "succeeded", images: [{ width: 1024, height: 1024 }] });
    expect(inspect([await fetched(job)])).toMatchObject({ width: 1024, height: 1024 });
  });

  it("editing with a picture", async () => {
    const cat = await make({ model: "nano-banana", prompt: "A ginger cat" });
    const data = Buffer.from(await fetched(cat)).toString("base64");
    const job = await make({
      model: "nano-banana",
      prompt: "Put a small hat on the cat",
      images: [{ data }],
    });
    expect(job.status).toBe("succeeded");
  });

  it("an infographic over several turns, then translated, at 16:9 and 2K, with web search", async () => {
    const grounding = { web: true };
    const first = await make({
      model: "nano-banana-pro",
      prompt: "A vibrant infographic that explains photosynthesis as a recipe",
      grounding,
    });
    expect(first).toMatchObject({ status: "succeeded", grounding: { search_widgets: [expect.any(String)] } });
    const second = await make({
      model: "nano-banana-pro",
      prompt: "Update this infographic to be in Spanish. Do not change any other elements",
      continue_from: first.id,
      aspect_ratio: "16:9",
      image_size: "2K",
      grounding,
    });
    expect(second).toMatchObject({
      status: "succeeded",
      attempts: 1,
      warnings: [],
      images: [{ width: 2752, height: 1536 }],
    });
    const third = await make({ model: "nano-banana-pro", prompt: "Now in German", continue_from: second.id });
    expect(third).toMatchObject({ status: "succeeded", attempts: 1, warnings: [] });
    const turns = z.looseObject({ data: z.array(z.looseObject({ prompt: z.string() })) });
    const told = turns.parse(await (await client.call("GET", `/v1/jobs/${third.id}/turns`)).json());
    expect(told.data.map(({ prompt }) => prompt.slice(0, 10))).toEqual([
      "A vibrant ",
      "Update thi",
      "Now in Ger",
    ]);
  });
});

describe("every model", () => {
  it.each(registry.models)(
    "makes an image at each of its sizes: $id",
    async ({ id, imageSizes, pixels, defaultSize }) => {
      const sizes = imageSizes.length > 0 ? imageSizes : [undefined];
      for (const size of sizes) {
        const job = await make({
          model: id,
          prompt: `Size ${size}`,
          aspect_ratio: "3:4",
          ...(size ? { image_size: size } : {}),
        });
        const [width, height] = pixels[size ?? defaultSize]?.["3:4"] ?? [];
        expect(job).toMatchObject({ status: "succeeded", images: [{ width, height }] });
      }
    },
  );

  it.each(registry.models.filter(({ thinking }) => thinking.length > 0))(
    "thinks as it is told: $id",
    async ({ id, thinking }) => {
      for (const level of thinking) {
        expect(await make({ model: id, prompt: `Think ${level}`, thinking: level })).toMatchObject({
          status: "succeeded",
        });
      }
    },
  );

  it.each(registry.models.filter(({ grounding }) => grounding.web))(
    "searches the web: $id",
    async ({ id, grounding }) => {
      const job = await make({ model: id, prompt: "The weather in Lima", grounding });
      expect(job).toMatchObject({
        status: "succeeded",
        grounding: {
          pages: expect.arrayContaining([expect.objectContaining({ url: expect.stringContaining("http") })]),
        },
      });
      if (!grounding.images) return;
      const images = await make({ model: id, prompt: "A rare bird", grounding: { images: true } });
      expect(images).toMatchObject({
        status: "succeeded",
        grounding: {
          pictures: expect.arrayContaining([
            expect.objectContaining({ page_url: expect.stringContaining("http") }),
          ]),
        },
      });
    },
  );

  it.each(registry.models)(
    "edits, with as many reference images as it takes: $id",
    async ({ id, maxReferenceImages }) => {
      const source = await make({ model: id, prompt: "A tile" });
      const images = Array.from({ length: maxReferenceImages }, () => ({ job_id: source.id }));
      expect(await make({ model: id, prompt: "A mosaic", images })).toMatchObject({ status: "succeeded" });
    },
  );

  it.each(registry.models)("goes on from its own image: $id", async ({ id }) => {
    const first = await make({ model: id, prompt: "A house" });
    const job = await make({ model: id, prompt: "With a red door", continue_from: first.id });
    expect(job).toMatchObject({ status: "succeeded", attempts: 1 });
    expect(job.warnings.join()).not.toContain("turns before");
  });

  it.each(registry.models)("gives words beside the image when asked for both: $id", async ({ id }) => {
    const job = await make({ model: id, prompt: "A poem about rain", output: "image_and_text" });
    expect(job).toMatchObject({ status: "succeeded", text: expect.any(String) });
  });

  it.each(registry.models)("takes safety settings and a seed, and makes four images: $id", async ({ id }) => {
    const safety = {
      harassment: "block_only_high",
      hate_speech: "block_none",
      sexually_explicit: "off",
      dangerous_content: "block_low_and_above",
    };
    const job = await make({ model: id, prompt: "A duel", safety, seed: 42, count: 4 });
    expect(job).toMatchObject({ status: "succeeded", images: [{}, {}, {}, {}] });
    expect(new Set(job.images.map(({ sha256 }) => sha256)).size).toBe(4);
  });

  it.each(registry.models)("refuses what it can't do before it is asked: $id", async (model) => {
    const lacking = [
      ...(model.thinking.length === 0 ? [{ thinking: "high" }] : []),
      ...(model.grounding.web ? [] : [{ grounding: { web: true } }]),
      ...(model.grounding.images ? [] : [{ grounding: { images: true } }]),
      ...(model.aspectRatios.includes("1:8") ? [] : [{ aspect_ratio: "1:8" }]),
      ...(model.imageSizes.includes("512") ? [] : [{ image_size: "512" }]),
      ...(model.imageSizes.includes("4K") ? [] : [{ image_size: "4K" }]),
    ];
    for (const asked of lacking) {
      const response = await client.call("POST", "/v1/jobs", { model: model.id, prompt: "x", ...asked });
      expect(response.status, JSON.stringify(asked)).toBe(400);
    }
  });
});

describe("history that Gemini rejects", () => {
  it("falls back to the last image and says so", async () => {
    const first = await make({ model: "nano-banana-pro", prompt: "Unsigned [[sim:NO_SIGNATURE]]" });
    const job = await make({ model: "nano-banana-pro", prompt: "Go on", continue_from: first.id });
    expect(job).toMatchObject({
      status: "succeeded",
      attempts: 2,
      warnings: [expect.stringContaining("Gemini rejected them")],
    });
  });
});

/** What the first attempt of a job ends in when this fault strikes it; `null` where the image comes all the same. */
const causes: Record<string, string | null> = {
  IMAGE_OTHER: "no_image",
  IMAGE_PROHIBITED_CONTENT: "content_blocked.output",
  IMAGE_SAFETY: "content_blocked.output",
  NO_IMAGE: "no_image",
  NO_IMAGE_TEXT: "no_image",
  TEXT_ONLY: "text_only",
  IMAGE_RECITATION: "content_blocked.recitation",
  RECITATION: "content_blocked.recitation",
  PROHIBITED_CONTENT: "content_blocked.output",
  SAFETY: "content_blocked.output",
  MALFORMED_FUNCTION_CALL: "no_image",
  MALFORMED_RESPONSE: "no_image",
  OTHER: "no_image",
  UNKNOWN_FINISH: "no_image",
  MAX_TOKENS: "no_image",
  EMPTY_CANDIDATES: "no_image",
  NULL_CANDIDATES: "no_image",
  EMPTY_BODY: "no_image",
  PROMPT_BLOCKED: "content_blocked.prompt",
  KEY_INVALID: "provider_configuration",
  KEY_LEAKED: "provider_configuration",
  FIELD: "invalid_request",
  INVALID_ARGUMENT: "invalid_request",
  LOCATION: "provider_configuration",
  MODEL_GONE: "provider_configuration",
  RATE_LIMIT: "rate_limited",
  RATE_LIMIT_DAY: "quota_exhausted",
  RATE_LIMIT_SHORT: "rate_limited",
  FREE_TIER_ZERO: "quota_exhausted",
  BILLING: "billing",
  BILLING_402: "billing",
  INTERNAL: "upstream_error",
  OVERLOADED: "overloaded",
  UNAVAILABLE: "overloaded",
  UNAVAILABLE_DEADLINE: "overloaded",
  DEADLINE: "upstream_error",
  HTML_502: "upstream_error",
  SLOW: null,
  DRIP: null,
  HANG: "timeout",
  RESET: "upstream_error",
  RESET_BODY: "upstream_error",
  TRUNCATED: "upstream_error",
  TRUNCATED_ERROR: "upstream_error",
  STREAM_ERROR: "overloaded",
  MULTI_IMAGE: null,
  THOUGHT_IMAGES: null,
  WRONG_MIME: null,
  WRONG_SIZE: null,
  NO_SIGNATURE: null,
  BIG_SIGNATURE: null,
};

const Faults = z.looseObject({ faults: z.array(z.looseObject({ name: z.string(), billed: z.boolean() })) });
const Attempts = z.looseObject({
  data: z.array(
    z.looseObject({
      failure: z.looseObject({ code: z.string() }).nullable(),
      calls: z.array(z.looseObject({ billed: z.boolean().nullable(), cost_usd: z.string().nullable() })),
    }),
  ),
});

describe("with every fault of the simulator injected once", () => {
  it("no job is left open, each failure names its cause, and the bills are the ledger's", async () => {
    const { faults } = Faults.parse(await (await fetch(`${system.gemini.url}/__sim/faults`)).json());
    expect(faults.map(({ name }) => name).toSorted()).toEqual(Object.keys(causes).toSorted());
    const jobs = await Promise.all(
      faults.map(async ({ name }) => {
        const prompt = `Fault ${name}: [[sim:${name}*1]]`;
        // Faults that hold for everybody close the gate, so the others wait for a while
        const { id } = await client.submit({ model: "nano-banana-pro", prompt, deadline_seconds: 150 });
        return { name, prompt, job: await client.end(id, 180_000) };
      }),
    );
    const ledger = await ledgerAt(system.gemini.url);
    for (const { name, prompt, job } of jobs) {
      expect(["succeeded", "failed"], name).toContain(job.status);
      const { data } = Attempts.parse(await (await client.call("GET", `/v1/jobs/${job.id}/attempts`)).json());
      const [cause = null] = data.flatMap(({ failure }) => failure?.code ?? []);
      expect(cause, name).toBe(causes[name]);
      if (job.status === "failed")
        expect([causes[name], "deadline_exceeded"], name).toContain(job.error?.code);
      const told = data.flatMap(({ calls }) => calls);
      const billed = ledger.calls.filter(
        (call) => call.billed && String(call.prompt).startsWith(prompt.slice(0, 80)),
      );
      const known = told.filter((call) => call.billed === true);
      const unknown = told.filter((call) => call.billed === null);
      expect(
        billed.length,
        `${name}: calls that Google bills are told, or told to be unknown`,
      ).toBeGreaterThanOrEqual(known.length);
      expect(billed.length, name).toBeLessThanOrEqual(known.length + unknown.length);
      if (unknown.length > 0) continue;
      const paid = billed.reduce((sum, call) => sum + ledgerCost(call), 0);
      expect(Number(job.cost.usd), `${name}: the cost is the ledger's`).toBeCloseTo(paid / nanodollars, 6);
    }
  }, 200_000);
});

const CostTokens = z.object({
  inputText: z.number(),
  inputImage: z.number(),
  outputText: z.number(),
  outputImage: z.number(),
  thinking: z.number(),
});

function ledgerCost(call: Record<string, unknown>): number {
  return costOf(registry.choose(String(call.model)).model, CostTokens.parse(call.costTokens)) ?? 0;
}
