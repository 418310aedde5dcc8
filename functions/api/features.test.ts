import type { Answer } from "@plantain/core/job/ports";
import { sampleAnswer, sampleLimits } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { Job, pixel, problemOf, world } from "./app.fixture.ts";

const List = z.looseObject({ data: z.array(z.looseObject({})) });

const grounded: Answer = {
  ...sampleAnswer(),
  text: "As of today",
  grounding: {
    webQueries: ["weather"],
    imageQueries: [],
    pages: [{ page: "https://example.org/a", title: "A", domain: "example.org" }],
    pictures: [
      { page: "https://example.org/b", picture: "https://example.org/b.jpg", title: null, domain: null },
    ],
    widgets: ["<div>search</div>"],
  },
};

describe("a job that there is no place for", () => {
  it("says in the job and in the list what holds it, and follows when there is one", async () => {
    const { submit, work, call, read, clock } = await world({
      limits: { ...sampleLimits, jobsPerTenant: 1 },
    });
    const first = await submit();
    const second = await submit();
    expect(second.job, "as it was at its creation").toMatchObject({ status: "queued", held_by: null });
    const held_by = {
      reason: "tenant_limit",
      message: expect.stringContaining("this one follows"),
      since: new Date(clock.now()).toISOString(),
      until: null,
    };
    expect(await read(second.job.id)).toMatchObject({ status: "queued", held_by });
    const { data } = List.parse(await (await call("GET", "/v1/jobs")).json());
    expect(data.find(({ id }) => id === second.job.id)).toMatchObject({ held_by });
    expect(await read(first.job.id)).toMatchObject({ held_by: null });
    await clock.advance(2_000);
    await work(sampleAnswer());
    expect(await read(second.job.id)).toMatchObject({ status: "queued", held_by: null });
    await work(sampleAnswer());
    expect(await read(second.job.id)).toMatchObject({ status: "succeeded" });
  });
});

describe("what a model can be asked", () => {
  it("reaches the worker as asked, and is shown on the job", async () => {
    const { submit, work, read } = await world();
    const { job } = await submit({
      prompt: "A map",
      thinking: "high",
      grounding: { web: true },
      safety: { harassment: "block_only_high" },
      seed: 7,
      output: "image_and_text",
    });
    await work(grounded);
    expect(await read(job.id)).toMatchObject({
      thinking: "high",
      grounding_requested: { web: true, images: false },
      safety: { harassment: "block_only_high" },
      seed: 7,
      text: "As of today",
      grounding: {
        web_queries: ["weather"],
        pages: [{ url: "https://example.org/a", title: "A", domain: "example.org" }],
        pictures: [{ page_url: "https://example.org/b", url: "https://example.org/b.jpg" }],
        search_widgets: ["<div>search</div>"],
      },
    });
  });

  const cases: [string, Record<string, unknown>, string][] = [
    ["thinking on a model that takes none", { model: "nano-banana-pro", thinking: "high" }, "thinking"],
    ["a thinking level that the model lacks", { thinking: "low" }, "thinking"],
    ["web search on a model without", { model: "nano-banana", grounding: { web: true } }, "grounding.web"],
    [
      "image search on a model without",
      { model: "nano-banana-pro", grounding: { images: true } },
      "grounding.images",
    ],
    ["an unknown kind of search", { grounding: { videos: true } }, "grounding.videos"],
    ["an unknown kind of harm", { safety: { rudeness: "off" } }, "safety.rudeness"],
    ["an unknown threshold", { safety: { harassment: "none" } }, "safety.harassment"],
    ["a negative seed", { seed: -1 }, "seed"],
    ["going on from nothing", { continue_from: "job_01m82v7m00fzzvzzzzzzzzzzzz" }, "continue_from"],
    ["going on from nonsense", { continue_from: "yesterday" }, "continue_from"],
  ];
  it.each(cases)("is refused where it can't be: %s", async (_name, asked, field) => {
    const { call } = await world();
    const problem = await problemOf(await call("POST", "/v1/jobs", { body: { prompt: "x", ...asked } }));
    expect(problem.status).toBe(400);
    expect(problem.errors?.map((error) => error.field)).toContain(field);
  });
});

describe("conversations", () => {
  it("go on from an earlier job, and can be read back", async () => {
    const { submit, work, read, call } = await world();
    const { job: first } = await submit({ prompt: "An infographic" });
    await work(sampleAnswer("first"));
    const { job: second } = await submit({ prompt: "In Spanish", continue_from: first.id });
    await work(sampleAnswer("second"));
    expect(await read(second.id)).toMatchObject({
      status: "succeeded",
      continue_from: { job_id: first.id, index: 0 },
    });
    const turns = List.parse(await (await call("GET", `/v1/jobs/${second.id}/turns`)).json());
    expect(turns.data).toMatchObject([
      { job_id: first.id, prompt: "An infographic", image: `/v1/jobs/${first.id}/images/0` },
      { job_id: second.id, prompt: "In Spanish", used_history: true },
    ]);
  });

  it("are a tenant's own", async () => {
    const { submit, work, call, keyFor } = await world();
    const { job } = await submit();
    await work(sampleAnswer());
    const key = await keyFor("other");
    for (const path of ["turns", "attempts"]) {
      expect((await call("GET", `/v1/jobs/${job.id}/${path}`, { key })).status).toBe(404);
    }
  });
});

describe("the flight recorder", () => {
  it("tells each attempt's times, what Gemini said, and what it cost", async () => {
    const { submit, work, call, clock, read } = await world();
    const { job } = await submit({ model: "nano-banana-pro", prompt: "A banana" });
    const first = new Date(clock.now()).toISOString();
    const failure = {
      code: "text_only",
      message: "No",
      billed: "yes",
      upstream: { status: 200, finishReason: "STOP" },
    } as const;
    const usage = { inputText: 5, inputImage: 0, outputText: 100, outputImage: 0, thinking: 0 };
    await work({ type: "failure", failure, usage });
    await clock.advance(10_000);
    const second = new Date(clock.now()).toISOString();
    await work(sampleAnswer());
    const attempts = List.parse(await (await call("GET", `/v1/jobs/${job.id}/attempts`)).json());
    expect(attempts.data).toMatchObject([
      {
        number: 1,
        queued_at: first,
        started_at: first,
        ended_at: first,
        outcome: "retried",
        failure: { code: "text_only" },
        reason: null,
        calls: [
          {
            started_at: first,
            answered_at: first,
            stored_at: null,
            upstream_status: 200,
            finish_reason: "STOP",
            failure: { code: "text_only" },
            billed: true,
            usage: { input_tokens: { text: 5 }, output_tokens: { text: 100 } },
            cost_usd: "0.001210",
          },
        ],
      },
      {
        number: 2,
        started_at: second,
        outcome: "succeeded",
        failure: null,
        calls: [{ index: 0, answered_at: second, stored_at: second, billed: true, cost_usd: "0.136810" }],
      },
    ]);
    const { cost } = await read(job.id);
    expect(cost.usd, "a failed attempt that was billed counts").toBe("0.138020");
  });
});

describe("an estimate", () => {
  it("refuses the URLs that a submission would", async () => {
    const { call } = await world();
    const body = { prompt: "A banana", images: [{ url: "https://localhost/cat.png" }] };
    const problem = await problemOf(await call("POST", "/v1/estimate", { body }));
    expect(problem).toMatchObject({
      status: 400,
      code: "invalid_request",
      errors: [{ field: "images[0].url" }],
    });
  });

  it("tells the price before anything is spent", async () => {
    const { call, ports } = await world();
    const body = {
      model: "nano-banana-pro",
      prompt: "A banana",
      image_size: "4K",
      count: 2,
      images: [{ data: pixel }],
    };
    const response = await call("POST", "/v1/estimate", { body });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      object: "estimate",
      model: "gemini-3-pro-image",
      count: 2,
      estimated_usd: "0.488240",
      estimated_usd_per_image: "0.244120",
      pricing_version: "2026-11",
      warnings: [],
    });
    expect(ports.queue.size).toBe(0);
  });

  it("is null where a price isn't published", async () => {
    const { call } = await world();
    const response = await call("POST", "/v1/estimate", {
      body: { model: "nano-banana-2-lite", prompt: "x" },
    });
    expect(await response.json()).toMatchObject({ estimated_usd: null });
  });

  it("refuses what a job would be refused for", async () => {
    const { call } = await world();
    const problem = await problemOf(
      await call("POST", "/v1/estimate", { body: { prompt: "x", aspect_ratio: "7:3" } }),
    );
    expect(problem).toMatchObject({ status: 400, errors: [{ field: "aspect_ratio" }] });
  });
});

describe("the models", () => {
  it("each tell what a job for them accepts, as JSON Schema", async () => {
    const { call } = await world();
    const Schema = z.looseObject({
      job_schema: z.looseObject({ properties: z.record(z.string(), z.looseObject({})) }),
    });
    const pro = Schema.parse(await (await call("GET", "/v1/models/nano-banana-pro")).json()).job_schema;
    expect(pro).toMatchObject({
      additionalProperties: false,
      properties: {
        model: { enum: ["gemini-3-pro-image", "nano-banana-pro", "nano-banana-pro-preview"] },
        image_size: { enum: ["1K", "2K", "4K"] },
        images: { maxItems: 14 },
        grounding: { properties: { web: { type: "boolean" } } },
      },
    });
    expect(pro.properties).not.toHaveProperty("thinking");
    const flash = Schema.parse(
      await (await call("GET", "/v1/models/gemini-2.5-flash-image")).json(),
    ).job_schema;
    expect(flash.properties).not.toHaveProperty("image_size");
    expect(flash.properties.images).toMatchObject({ maxItems: 3 });
  });

  it("that were shut down name their successor; unknown ones are a 404", async () => {
    const { call } = await world();
    const retired = await call("GET", "/v1/models/gemini-3-pro-image-preview");
    expect(await retired.json()).toMatchObject({ status: "retired", successor: "gemini-3-pro-image" });
    expect(await problemOf(await call("GET", "/v1/models/dall-e"))).toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  });

  it("that are deprecated say so on the job", async () => {
    const { submit } = await world();
    const { job } = await submit({ model: "nano-banana", prompt: "x" });
    expect(Job.parse(job).warnings).toEqual([expect.stringContaining("end of its life")]);
  });
});
