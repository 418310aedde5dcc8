import { sha256Hex } from "@plantain/core/hash";
import { downloaded } from "@plantain/memory/downloader";
import { pngHeader } from "@plantain/memory/png";
import { sampleAnswer } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { Job, Page, pixel, problemOf, world } from "./app.fixture.ts";
import { createApp, largestBody } from "./app.ts";

describe("submitting a job", () => {
  it("answers 202 with where to look and when", async () => {
    const { submit } = await world();
    const { response, job } = await submit({
      prompt: "A banana",
      aspect_ratio: "16:9",
      metadata: { order: "42" },
    });
    expect(response.headers.get("location")).toBe(`/v1/jobs/${job.id}`);
    expect(response.headers.get("retry-after")).toBe("2");
    expect(job).toMatchObject({
      object: "job",
      status: "queued",
      model: "gemini-nano-banana-2.1",
      prompt: "A banana",
      aspect_ratio: "16:9",
      metadata: { order: "42" },
      attempts: 0,
      images: [],
      cost: { usd: "0.000000", final: false },
      error: null,
    });
  });

  it("shows the result with fresh signed URLs, usage and cost once a worker is done", async () => {
    const { submit, work, read } = await world();
    const { job } = await submit({ model: "nano-banana-pro", prompt: "A banana" });
    await work(sampleAnswer());
    expect(await read(job.id)).toMatchObject({
      status: "succeeded",
      attempts: 1,
      images: [{ index: 0, media_type: "image/png", width: 1024, url: expect.stringContaining(".png") }],
      usage: { input_tokens: { text: 5, image: 0 }, output_tokens: { text: 0, image: 1120, thinking: 200 } },
      cost: {
        usd: "0.136810",
        estimated_usd: "0.138004",
        final: true,
        unknown_attempts: 0,
        pricing_version: "2026-11",
      },
    });
  });

  it("carries a warning when a retired id was asked for", async () => {
    const { submit } = await world();
    const { job } = await submit({ model: "gemini-3-pro-image-preview", prompt: "A banana" });
    expect(job).toMatchObject({ model: "gemini-3-pro-image", requested_model: "gemini-3-pro-image-preview" });
    expect(job.warnings).toEqual([expect.stringContaining("was shut down")]);
  });

  it("takes images inline and from an earlier job, and needs no prompt beside them", async () => {
    const { submit, work, ports } = await world();
    const { job: first } = await submit({ prompt: "A banana" });
    await work(sampleAnswer());
    const { job } = await submit({
      images: [{ job_id: first.id }, { data: pixel, media_type: "image/png" }],
    });
    expect(job).toMatchObject({
      reference_images: [
        { job_id: first.id, index: 0 },
        { width: 1, height: 1, job_id: null },
      ],
    });
    expect(await ports.objects.list(`meta/acme/${job.id}/in/`)).toHaveLength(1);
  });

  it("takes images by URL, which a worker fetches; what they led to is told with the success", async () => {
    const { submit, work, read, downloader, lines } = await world();
    const url = "https://example.com/cat.png?token=secret";
    const [bytes, other] = [pngHeader(3, 2), pngHeader(9, 9)];
    downloader.serve(url, downloaded(bytes), downloaded(other));
    const { job } = await submit({ prompt: "A banana beside it", images: [{ url }] });
    const unknown = { media_type: null, width: null, height: null, bytes: null, sha256: null };
    const link = { url, job_id: null, index: null };
    expect(job).toMatchObject({ reference_images: [{ ...link, ...unknown }] });
    await work(sampleAnswer());
    const known = { media_type: "image/png", width: 3, height: 2, bytes: 45, sha256: sha256Hex(bytes) };
    expect(await read(job.id)).toMatchObject({ reference_images: [{ ...link, ...known }] });
    expect(downloader.asked).toEqual([url]);
    expect(lines.join("\n")).not.toContain("secret");
  });

  it("says why an image by URL can't be used, and shows no bill", async () => {
    const { submit, work, read } = await world();
    const url = "https://example.com/gone.png?token=secret";
    const { job } = await submit({ prompt: "A banana beside it", images: [{ url }] });
    await work(sampleAnswer());
    const failed = await read(job.id);
    expect(failed).toMatchObject({
      status: "failed",
      error: {
        code: "input_unavailable",
        message: "Cannot use image 0: its server answered with status 404",
        billed: false,
      },
      cost: { usd: "0.000000", final: true },
    });
  });

  it("with Prefer: wait answers 200 with the ended job, or 202 when it takes longer", async () => {
    const { call, clock, work } = await world();
    const body = { prompt: "A banana" };
    const waiting = call("POST", "/v1/jobs", { body, headers: { prefer: "respond-async, wait=10" } });
    await clock.advance(100);
    await work(sampleAnswer());
    await clock.advance(1_000);
    const response = await waiting;
    expect(response.status).toBe(200);
    expect(Job.parse(await response.json()).status).toBe("succeeded");

    const slow = call("POST", "/v1/jobs", { body, headers: { prefer: "wait=10" } });
    await clock.advance(11_000);
    expect((await slow).status).toBe(202);
  });
});

describe("an idempotency key", () => {
  const headers = { "idempotency-key": "order-42" };

  it("gives the create-time answer again, whatever has become of the job", async () => {
    const { submit, work, call, ports } = await world();
    const { job, response } = await submit({ prompt: "A banana", count: 1 }, headers);
    expect(response.headers.get("idempotent-replayed")).toBeNull();
    await work(sampleAnswer());
    const again = await call("POST", "/v1/jobs", {
      body: { count: 1, prompt: "A banana" },
      headers: { "idempotency-key": '"order-42"' },
    });
    expect(again.status).toBe(202);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(Job.parse(await again.json())).toEqual(job);
    expect(ports.queue.size).toBe(0);
  });

  it("is refused for another request", async () => {
    const { submit, call } = await world();
    await submit({ prompt: "A banana" }, headers);
    const response = await call("POST", "/v1/jobs", { body: { prompt: "Two bananas" }, headers });
    expect(await problemOf(response)).toMatchObject({ status: 422, code: "idempotency_key_reused" });
  });

  it("makes one job however many requests come at once", async () => {
    const { submit, ports } = await world();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => submit({ prompt: "A banana" }, headers)),
    );
    expect(new Set(answers.map(({ job }) => job.id)).size).toBe(1);
    expect(ports.queue.size).toBe(1);
  });

  it("can be the job's address: PUT is the same by path, and meets POST's key", async () => {
    const { call, submit } = await world();
    const put = await call("PUT", "/v1/jobs/by-key/order-42", { body: { prompt: "A banana" } });
    expect(put.status).toBe(202);
    const { response, job } = await submit({ prompt: "A banana" }, headers);
    expect(Job.parse(await put.json()).id).toBe(job.id);
    expect(response.headers.get("idempotent-replayed")).toBe("true");
    const spaced = await call("PUT", "/v1/jobs/by-key/a%20b", { body: { prompt: "A banana" } });
    expect(await problemOf(spaced)).toMatchObject({ status: 400, errors: [{ field: "key" }] });
  });

  it("belongs to its tenant", async () => {
    const { call, keyFor, submit } = await world();
    const { job } = await submit({ prompt: "A banana" }, headers);
    const other = await call("POST", "/v1/jobs", {
      body: { prompt: "Other" },
      headers,
      key: await keyFor("other"),
    });
    expect(other.status).toBe(202);
    expect(Job.parse(await other.json()).id).not.toBe(job.id);
  });

  it.each(["", "a b", "x".repeat(256), "ümlaut"])("can't be %j", async (key) => {
    const { call } = await world();
    const response = await call("POST", "/v1/jobs", {
      body: { prompt: "A banana" },
      headers: { "idempotency-key": encodeURI(key) === key ? key : "a\u00fc" },
    });
    expect(await problemOf(response)).toMatchObject({ status: 400, errors: [{ field: "Idempotency-Key" }] });
  });
});

describe("bad input is refused with the field and the remedy, before anything is stored", () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString("base64");
  const bomb = Buffer.from(pixel, "base64");
  bomb.writeUInt32BE(16_000, 16);
  bomb.writeUInt32BE(16_000, 20);
  const cases: [string, unknown, number, string, string][] = [
    ["no prompt and no images", {}, 400, "invalid_request", "prompt"],
    ["an empty prompt", { prompt: " " }, 400, "invalid_request", "prompt"],
    ["a prompt too long", { prompt: "é".repeat(8_001) }, 400, "invalid_request", "prompt"],
    ["control characters", { prompt: "a\u0000b" }, 400, "invalid_request", "prompt"],
    ["an unknown model", { prompt: "x", model: "dall-e" }, 400, "unknown_model", "model"],
    ["an unknown ratio", { prompt: "x", aspect_ratio: "7:3" }, 400, "invalid_request", "aspect_ratio"],
    [
      "a ratio the model lacks",
      { prompt: "x", model: "nano-banana-pro", aspect_ratio: "1:8" },
      400,
      "invalid_request",
      "aspect_ratio",
    ],
    ["a size the model lacks", { prompt: "x", image_size: "512" }, 400, "invalid_request", "image_size"],
    [
      "a size on a model with one",
      { prompt: "x", model: "nano-banana", image_size: "2K" },
      400,
      "invalid_request",
      "image_size",
    ],
    ["a lower-case size", { prompt: "x", image_size: "2k" }, 400, "invalid_request", "image_size"],
    ["an unknown field", { prompt: "x", promt: "y" }, 400, "invalid_request", "promt"],
    [
      "a webhook by HTTP",
      { prompt: "x", webhook: { url: "http://example.com/" } },
      400,
      "invalid_request",
      "webhook.url",
    ],
    [
      "an image by HTTP",
      { prompt: "x", images: [{ data: pixel }, { url: "http://example.com/cat.png" }] },
      400,
      "invalid_request",
      "images[1].url",
    ],
    [
      "an image on a private host",
      { prompt: "x", images: [{ url: "https://169.254.169.254/latest" }] },
      400,
      "invalid_request",
      "images[0].url",
    ],
    [
      "an image behind a password",
      { prompt: "x", images: [{ url: "https://user:pass@example.com/cat.png" }] },
      400,
      "invalid_request",
      "images[0].url",
    ],
    [
      "an image whose URL is endless",
      { prompt: "x", images: [{ url: `https://example.com/${"a".repeat(3_000)}` }] },
      400,
      "invalid_request",
      "images[0].url",
    ],
    [
      "an image whose URL is none",
      { prompt: "x", images: [{ url: 7 }] },
      400,
      "invalid_request",
      "images[0].url",
    ],
    [
      "an image that is given twice over",
      { prompt: "x", images: [{ url: "https://example.com/cat.png", media_type: "image/png" }] },
      400,
      "invalid_request",
      "images[0].media_type",
    ],
    [
      "an uploaded image, which there isn't yet",
      { prompt: "x", images: [{ upload_id: "upl_1" }] },
      400,
      "invalid_request",
      "images[0].upload_id",
    ],
    ["an image of nothing", { prompt: "x", images: [{}] }, 400, "invalid_request", "images[0].data"],
    [
      "an image that isn't base64",
      { prompt: "x", images: [{ data: "data:image/png;base64,AA" }] },
      400,
      "invalid_request",
      "images[0].data",
    ],
    ["an SVG", { prompt: "x", images: [{ data: svg }] }, 400, "invalid_image", "images[0].data"],
    [
      "a truncated image",
      { prompt: "x", images: [{ data: pixel.slice(0, 60) }] },
      400,
      "invalid_image",
      "images[0].data",
    ],
    [
      "a mislabelled image",
      { prompt: "x", images: [{ data: pixel, media_type: "image/jpeg" }] },
      400,
      "invalid_image",
      "images[0].media_type",
    ],
    [
      "a huge image in few bytes",
      { prompt: "x", images: [{ data: bomb.toString("base64") }] },
      400,
      "image_too_large",
      "images[0].data",
    ],
    [
      "too many images for the model",
      { prompt: "x", model: "nano-banana", images: Array(4).fill({ data: pixel }) },
      400,
      "invalid_request",
      "images",
    ],
    ["15 images", { prompt: "x", images: Array(15).fill({ data: pixel }) }, 400, "invalid_request", "images"],
    [
      "an image of an unknown job",
      { prompt: "x", images: [{ job_id: "job_01m82v7m00fzzvzzzzzzzzzzzz" }] },
      400,
      "source_job_not_found",
      "images[0].job_id",
    ],
    ["a count of 5", { prompt: "x", count: 5 }, 400, "invalid_request", "count"],
    ["a deadline of 9 s", { prompt: "x", deadline_seconds: 9 }, 400, "invalid_request", "deadline_seconds"],
    [
      "a deadline of more than a day",
      { prompt: "x", deadline_seconds: 86_401 },
      400,
      "invalid_request",
      "deadline_seconds",
    ],
    ["metadata that isn't text", { prompt: "x", metadata: { a: 1 } }, 400, "invalid_request", "metadata.a"],
    [
      "17 metadata entries",
      { prompt: "x", metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, ""])) },
      400,
      "invalid_request",
      "metadata",
    ],
    ["a body that is a list", [], 400, "invalid_request", "(body)"],
  ];

  it.each(cases)("%s", async (_name, body, status, code, field) => {
    const { call, ports } = await world();
    const problem = await problemOf(await call("POST", "/v1/jobs", { body }));
    expect(problem).toMatchObject({ status, code });
    expect(problem.errors?.map((error) => error.field)).toContain(field);
    expect(ports.queue.size).toBe(0);
    expect(await ports.objects.list("")).toEqual([]);
    expect(Page.parse(await (await call("GET", "/v1/jobs")).json()).data).toEqual([]);
  });

  it("lists what is allowed", async () => {
    const { call } = await world();
    const body = { prompt: "x", model: "nano-banana-pro", image_size: "512" };
    const problem = await problemOf(await call("POST", "/v1/jobs", { body }));
    expect(problem.errors?.[0]?.allowed).toEqual(["1K", "2K", "4K"]);
  });

  it.each([
    ["not JSON", "{", { "content-type": "application/json" }, 400, "invalid_json"],
    [
      "a form",
      "prompt=x",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "unsupported_media_type",
    ],
    [
      "over 5.6 MB",
      "x".repeat(largestBody + 1),
      { "content-type": "application/json" },
      413,
      "body_too_large",
    ],
  ])("a body that is %s", async (_name, body, headers, status, code) => {
    const { call } = await world();
    expect(await problemOf(await call("POST", "/v1/jobs", { body, headers }))).toMatchObject({
      status,
      code,
    });
  });

  it("an image of a job that isn't done, or of another tenant", async () => {
    const { call, submit, keyFor } = await world();
    const { job } = await submit();
    const body = { prompt: "x", images: [{ job_id: job.id }] };
    expect(await problemOf(await call("POST", "/v1/jobs", { body }))).toMatchObject({
      status: 409,
      code: "source_job_not_succeeded",
    });
    const other = await call("POST", "/v1/jobs", { body, key: await keyFor("other") });
    expect(await problemOf(other)).toMatchObject({ status: 400, code: "source_job_not_found" });
  });
});

describe("keys", () => {
  it.each([
    ["none", {}],
    ["a malformed one", { authorization: "Bearer hello" }],
    ["an unknown one", { authorization: "Bearer plk_00000000_00000000000000000000000000000000_000000" }],
    ["another scheme", { authorization: "Basic abc" }],
  ])("with %s the answer is 401, always the same", async (_name, headers) => {
    const { app } = await world();
    const response = await app.request("/v1/jobs", { headers });
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(await problemOf(response)).toMatchObject({
      status: 401,
      code: "unauthorized",
      detail: expect.stringContaining("Authorization: Bearer"),
    });
  });

  it("do only what their scopes allow", async () => {
    const { call, keyFor } = await world();
    const key = await keyFor("acme", ["jobs:read"]);
    expect((await call("GET", "/v1/jobs", { key })).status).toBe(200);
    expect(await problemOf(await call("POST", "/v1/jobs", { key, body: { prompt: "x" } }))).toMatchObject({
      status: 403,
      code: "missing_scope",
    });
  });

  it("show a tenant nothing of another's: absent and foreign are the same", async () => {
    const { call, submit, keyFor, work } = await world();
    const { job } = await submit();
    await work(sampleAnswer());
    const key = await keyFor("other");
    for (const [method, path] of [
      ["GET", `/v1/jobs/${job.id}`],
      ["GET", `/v1/jobs/${job.id}/images/0`],
      ["POST", `/v1/jobs/${job.id}/cancel`],
      ["DELETE", `/v1/jobs/${job.id}`],
    ] as const) {
      expect(await problemOf(await call(method, path, { key }))).toMatchObject({
        status: 404,
        code: "job_not_found",
      });
    }
    expect(Page.parse(await (await call("GET", "/v1/jobs", { key })).json()).data).toEqual([]);
  });
});

describe("reading a job", () => {
  it("has a strong ETag that answers 304 until something changes", async () => {
    const { call, submit, work } = await world();
    const { job } = await submit();
    const first = await call("GET", `/v1/jobs/${job.id}`);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(first.headers.get("retry-after")).toBe("2");
    const same = await call("GET", `/v1/jobs/${job.id}`, {
      headers: { "if-none-match": `"other", ${etag}` },
    });
    expect(same.status).toBe(304);
    expect(await same.text()).toBe("");
    await work(sampleAnswer());
    const changed = await call("GET", `/v1/jobs/${job.id}`, { headers: { "if-none-match": etag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("retry-after")).toBeNull();
  });

  it("waits for the end as long as it is asked to", async () => {
    const { call, submit, work, clock } = await world();
    const { job } = await submit();
    const waiting = call("GET", `/v1/jobs/${job.id}?wait=25`);
    await clock.advance(5_000);
    await work(sampleAnswer());
    await clock.advance(2_000);
    expect(Job.parse(await (await waiting).json()).status).toBe("succeeded");
  });

  it.each(["26", "-1", "x", "1.5"])("refuses wait=%s", async (wait) => {
    const { call, submit } = await world();
    const { job } = await submit();
    expect(await problemOf(await call("GET", `/v1/jobs/${job.id}?wait=${wait}`))).toMatchObject({
      status: 400,
      errors: [{ field: "wait" }],
    });
  });

  it("tells why a job that goes on has no image yet", async () => {
    const { submit, work, read } = await world();
    const { job } = await submit();
    await work({
      type: "failure",
      failure: { code: "rate_limited", message: "Slow down", billed: "no", retryAfterMs: 60_000 },
      usage: null,
    });
    expect(await read(job.id)).toMatchObject({
      status: "queued",
      error: null,
      last_error: { code: "rate_limited", message: "Slow down" },
    });
  });

  it("tells what went wrong in the end, what to do, and what it cost", async () => {
    const { submit, work, read } = await world();
    const { job } = await submit();
    await work({
      type: "failure",
      failure: {
        code: "content_blocked.prompt",
        message: "Refused",
        billed: "no",
        upstream: { status: 200, finishReason: "PROHIBITED_CONTENT" },
      },
      usage: null,
    });
    expect(await read(job.id)).toMatchObject({
      status: "failed",
      error: {
        code: "content_blocked.prompt",
        retryable: false,
        billed: false,
        hint: expect.stringContaining("Rephrase"),
        upstream: { finish_reason: "PROHIBITED_CONTENT" },
      },
      cost: { usd: "0.000000", final: true },
    });
  });

  it("leads to each image by a redirect to a fresh signed URL", async () => {
    const { call, submit, work } = await world();
    const { job } = await submit();
    const path = `/v1/jobs/${job.id}/images/0`;
    expect(await problemOf(await call("GET", path))).toMatchObject({ status: 404, code: "image_not_found" });
    await work(sampleAnswer());
    const response = await call("GET", path);
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toContain(`/out/acme/${job.id}/1/0`);
    expect((await call("GET", `/v1/jobs/${job.id}/images/1`)).status).toBe(404);
  });

  it.each(["job_01m82v7m00fzzvzzzzzzzzzzzz", "nonsense"])("of an unknown id (%s) is a 404", async (id) => {
    const { call } = await world();
    expect(await problemOf(await call("GET", `/v1/jobs/${id}`))).toMatchObject({
      status: 404,
      code: "job_not_found",
    });
  });
});

describe("listing jobs", () => {
  it("goes newest first, page by page, without gaps or repeats", async () => {
    const { call, submit, clock } = await world();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      ids.push((await submit()).job.id);
      await clock.advance(1);
    }
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page = Page.parse(await (await call("GET", `/v1/jobs?limit=2${query}`)).json());
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(ids.toReversed());
  });

  it("can be narrowed to one status", async () => {
    const { call, submit, work, clock } = await world();
    await submit();
    await clock.advance(1);
    await submit();
    await work(sampleAnswer());
    const page = Page.parse(await (await call("GET", "/v1/jobs?status=queued")).json());
    expect(page.data.map(({ status }) => status)).toEqual(["queued"]);
  });

  it.each([
    ["cursor=abc", "cursor", "invalid_cursor"],
    ["limit=0", "limit", "invalid_request"],
    ["limit=101", "limit", "invalid_request"],
    ["status=done", "status", "invalid_request"],
    ["sort=asc", "sort", "invalid_request"],
  ])("refuses %s", async (query, field, code) => {
    const { call } = await world();
    expect(await problemOf(await call("GET", `/v1/jobs?${query}`))).toMatchObject({
      status: 400,
      code,
      errors: [{ field }],
    });
  });
});

describe("a deadline", () => {
  it.each([
    [undefined, 1_800],
    [10, 10],
    [86_400, 86_400],
  ])("of %s s is %i s after the job's creation", async (asked, seconds) => {
    const { submit } = await world();
    const { job } = await submit({
      prompt: "x",
      ...(asked === undefined ? {} : { deadline_seconds: asked }),
    });
    const { created_at, deadline_at } = z
      .looseObject({ created_at: z.string(), deadline_at: z.string() })
      .parse(job);
    expect(Date.parse(deadline_at) - Date.parse(created_at)).toBe(seconds * 1_000);
  });
});

describe("canceling", () => {
  it("ends a queued job, and is idempotent", async () => {
    const { call, submit } = await world();
    const { job } = await submit();
    for (let n = 0; n < 2; n += 1) {
      const response = await call("POST", `/v1/jobs/${job.id}/cancel`);
      expect(response.status).toBe(200);
      expect(Job.parse(await response.json()).status).toBe("canceled");
    }
  });

  it("of a job that is over answers it as it ended", async () => {
    const { call, submit, work } = await world();
    const { job } = await submit();
    await work(sampleAnswer());
    const response = await call("POST", `/v1/jobs/${job.id}/cancel`);
    expect(Job.parse(await response.json()).status).toBe("succeeded");
  });
});

describe("deleting", () => {
  it("takes a job that is over away, from every address, and may be repeated", async () => {
    const { call, submit, work } = await world();
    const { job } = await submit();
    await work(sampleAnswer());
    for (let n = 0; n < 2; n += 1) {
      const response = await call("DELETE", `/v1/jobs/${job.id}`);
      expect(response.status).toBe(204);
      expect(await response.text()).toBe("");
    }
    for (const path of ["", "/images/0", "/attempts", "/turns"]) {
      expect(await problemOf(await call("GET", `/v1/jobs/${job.id}${path}`))).toMatchObject({
        status: 404,
        code: "job_not_found",
      });
    }
    expect((await call("POST", `/v1/jobs/${job.id}/cancel`)).status).toBe(404);
    expect(Page.parse(await (await call("GET", "/v1/jobs")).json()).data).toEqual([]);
    const usesIt = await call("POST", "/v1/jobs", {
      body: { prompt: "x", images: [{ job_id: job.id }], continue_from: job.id },
    });
    expect(await problemOf(usesIt)).toMatchObject({ status: 400, code: "source_job_not_found" });
  });

  it("refuses one that isn't over, and says what to do", async () => {
    const { call, submit } = await world();
    const { job } = await submit();
    expect(await problemOf(await call("DELETE", `/v1/jobs/${job.id}`))).toMatchObject({
      status: 409,
      code: "job_not_finished",
      detail: expect.stringContaining("cancel it"),
    });
    expect((await call("GET", `/v1/jobs/${job.id}`)).status).toBe(200);
    for (const id of ["job_00000000000000000000000000", "nonsense"])
      expect((await call("DELETE", `/v1/jobs/${id}`)).status).toBe(404);
  });

  it("leaves the create-time answer to who repeats the submission, also if that waits", async () => {
    const { call, work, clock } = await world();
    const again = (headers = {}) =>
      call("POST", "/v1/jobs", {
        body: { prompt: "A pear", metadata: { order: "7" } },
        headers: { "idempotency-key": "order-7", ...headers },
      });
    const first = Job.parse(await (await again()).json());
    await work(sampleAnswer());
    await call("DELETE", `/v1/jobs/${first.id}`);
    for (const headers of [{}, { prefer: "wait=1" }]) {
      const asked = again(headers);
      await clock.advance(1_000);
      const answer = await asked;
      expect(answer.status).toBe(202);
      expect(answer.headers.get("idempotent-replayed")).toBe("true");
      expect(await answer.json()).toEqual(first);
    }
  });
});

describe("everything else", () => {
  it("shows the models with what each can do and costs", async () => {
    const { call } = await world();
    const body = z
      .looseObject({ data: z.array(z.looseObject({ id: z.string() })) })
      .parse(await (await call("GET", "/v1/models")).json());
    expect(body.data.find(({ id }) => id === "gemini-3-pro-image")).toMatchObject({
      aliases: expect.arrayContaining(["nano-banana-pro"]),
      image_sizes: ["1K", "2K", "4K"],
      prices: { image_output: 120, pricing_version: "2026-11" },
    });
  });

  it("is healthy without a key", async () => {
    const { app } = await world();
    expect((await app.request("/healthz")).status).toBe(200);
  });

  it("tells the methods that an address takes", async () => {
    const { call } = await world();
    const response = await call("DELETE", "/v1/jobs");
    expect(response.headers.get("allow")).toBe("GET, POST");
    expect(await problemOf(response)).toMatchObject({ status: 405, code: "method_not_allowed" });
    expect(await problemOf(await call("GET", "/v1/nothing"))).toMatchObject({
      status: 404,
      code: "not_found",
    });
  });

  it("keeps the inside of a fault to the log", async () => {
    const { ports, lines, key } = await world();
    const jobs = { ...ports.jobs, read: () => Promise.reject(new Error("table-name-42 is on fire")) };
    const response = await createApp({ ...ports, jobs }).request("/v1/jobs/job_01m82v7m00fzzvzzzzzzzzzzzz", {
      headers: { authorization: `Bearer ${key}` },
    });
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 500, code: "internal" });
    expect(JSON.stringify(problem)).not.toContain("table-name-42");
    expect(lines.join()).toContain("table-name-42");
    expect(lines.join()).toContain(problem.request_id);
  });

  it("never logs prompts, keys, images or signed URLs", async () => {
    const { submit, work, read, call, lines, key } = await world();
    const { job } = await submit({
      prompt: "canary-prompt",
      images: [{ data: pixel }],
      metadata: { note: "canary-metadata" },
    });
    await work(sampleAnswer("canary-image"));
    await read(job.id);
    await call("GET", `/v1/jobs?cursor=canary-query`);
    await call("GET", `/v1/jobs/canary-path`);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join("\n")).not.toMatch(new RegExp(`canary|${key}|${pixel}|images\\.test`));
  });
});
