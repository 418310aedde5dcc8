import { setTimeout as sleep } from "node:timers/promises";
import { sha256Hex } from "@plantain/core/hash";
import { inspect } from "@plantain/core/image/inspect";
import type { System } from "@plantain/local/system";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Client, Job, ledgerAt } from "./client.ts";
import { bucketOf, itemsIn, keysIn, storeAt } from "./stored.ts";
import { startTestSystem } from "./system.ts";

vi.setConfig({ testTimeout: 60_000 });

let system: System;
let client: Client;
let lines: readonly string[];
beforeAll(async () => {
  ({ system, client, lines } = await startTestSystem());
}, 60_000);
afterAll(() => system.stop());

const billedFor = async (marker: string) =>
  (await ledgerAt(system.gemini.url)).calls.filter(
    (call) => call.billed && JSON.stringify(call).includes(marker),
  ).length;

/** Jobs that are deleted at the beginning, and looked for at the end, since the sweep comes once a minute; and one that stays. */
let deleted: readonly Job[] = [];
let kept: Job;

describe("deleting", () => {
  it("takes a job that is over out of sight at once, and refuses one that isn't", async () => {
    kept = await client.end((await client.submit({ prompt: "To be kept" })).id);
    const whole = await client.end(
      (await client.submit({ prompt: "To be forgotten", images: [{ job_id: kept.id }] })).id,
    );
    const drawn = await client.submit({ prompt: "Canceled while it is drawn [[sim:SLOW:4000]]" });
    while ((await client.read(drawn.id)).status === "queued") await sleep(50);
    expect((await client.call("DELETE", `/v1/jobs/${drawn.id}`)).status).toBe(409);
    await client.cancel(drawn.id);
    await sleep(3_000); // a beat, at which its worker gives up; what it would store later goes 20 minutes later
    deleted = [whole, drawn];
    for (const { id } of deleted) {
      expect((await client.call("DELETE", `/v1/jobs/${id}`)).status).toBe(204);
      expect((await client.call("GET", `/v1/jobs/${id}`)).status).toBe(404);
    }
  });
});

describe("from a prompt to an image", () => {
  it.each([
    ["nano-banana-pro", { aspect_ratio: "16:9", image_size: "2K" }, 2752, 1536],
    ["nano-banana", { aspect_ratio: "21:9" }, 1536, 672],
    ["gemini-nano-banana-2.1", { aspect_ratio: "1:4" }, 512, 2048],
  ])("of %s at %o", async (model, asked, width, height) => {
    const submitted = await client.submit({ model, prompt: "A banana on a plate", ...asked });
    const job = await client.end(submitted.id);
    expect(job).toMatchObject({
      status: "succeeded",
      attempts: 1,
      images: [{ width, height }],
      warnings: model === "nano-banana" ? [expect.anything()] : [],
    });
    const [image] = job.images;
    const response = await fetch(image?.url ?? "");
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(inspect([bytes])).toEqual({ mediaType: image?.media_type, width, height });
    expect(response.headers.get("content-type")).toBe(image?.media_type);
    expect(bytes.length).toBe(image?.bytes);
    expect(sha256Hex(bytes)).toBe(image?.sha256);
    expect(job.cost.final).toBe(true);
    expect(Number(job.cost.usd)).toBeGreaterThan(0.03);
  });

  it("edits an earlier job's image, and one sent inline, and gives the result at its own address", async () => {
    const first = await client.end((await client.submit({ prompt: "A red bicycle" })).id);
    const original = await fetch(first.images[0]?.url ?? "");
    const data = Buffer.from(await original.arrayBuffer()).toString("base64");
    const edit = await client.submit({ prompt: "Make it blue", images: [{ job_id: first.id }, { data }] });
    const job = await client.end(edit.id);
    expect(job.status).toBe("succeeded");
    const redirect = await client.call("GET", `/v1/jobs/${job.id}/images/0`);
    expect(redirect.status).toBe(302);
    const image = await fetch(redirect.headers.get("location") ?? "");
    expect(inspect([new Uint8Array(await image.arrayBuffer())])).toHaveProperty("width");
    const [call] = (await ledgerAt(system.gemini.url)).calls.filter((each) =>
      JSON.stringify(each).includes("Make it blue"),
    );
    expect(call).toMatchObject({ inputImages: 2 });
  });

  it("makes several images for one job, one paid call each", async () => {
    const job = await client.end((await client.submit({ prompt: "Three pears", count: 3 })).id);
    expect(job.images).toHaveLength(3);
    expect(await billedFor("Three pears")).toBe(3);
  });

  it("answers a submission that waits with the image itself", async () => {
    const response = await client.call("POST", "/v1/jobs", { prompt: "At once" }, { prefer: "wait=20" });
    expect(response.status).toBe(200);
    expect(Job.parse(await response.json()).status).toBe("succeeded");
  });
});

describe("a key in the path", () => {
  it("is the one in the header, whatever is in it", async () => {
    const body = { prompt: "Keyed" };
    for (const key of ["a%41", "aA", "order/42", "a?1", "a#1", "a\\b", "a;b=c&d+e"]) {
      const put = await client.call("PUT", `/v1/jobs/by-key/${encodeURIComponent(key)}`, body);
      expect([key, put.status, put.headers.get("idempotent-replayed")]).toEqual([key, 202, null]);
      const { id } = Job.parse(await put.json());
      expect((await client.submit(body, { "idempotency-key": key })).id).toBe(id);
    }
  });
});

describe("what goes wrong at Gemini", () => {
  it("is refused with its cause, once, and costs nothing", async () => {
    const job = await client.end(
      (await client.submit({ prompt: "Forbidden [[sim:PROHIBITED_CONTENT]]" })).id,
    );
    expect(job).toMatchObject({ status: "failed", attempts: 1, error: { code: "content_blocked.output" } });
    const blocked = await client.end(
      (await client.submit({ prompt: "Blocked [[sim:PROMPT_BLOCKED:SAFETY]]" })).id,
    );
    expect(blocked).toMatchObject({
      status: "failed",
      attempts: 1,
      error: { code: "content_blocked.prompt", retryable: false },
      cost: { usd: "0.000000", final: true },
    });
  });

  it.each([
    ["a rate limit", "[[sim:RATE_LIMIT:1s*1]]"],
    ["overload", "[[sim:OVERLOADED*1]]"],
    ["an answer without an image", "[[sim:NO_IMAGE*1]]"],
    ["a connection reset", "[[sim:RESET*1]]"],
    ["a truncated answer", "[[sim:TRUNCATED*1]]"],
  ])("%s is tried again and succeeds", async (_name, marker) => {
    const job = await client.end((await client.submit({ prompt: `Patience ${marker}` })).id);
    expect(job).toMatchObject({ status: "succeeded", attempts: 2 });
  });

  it("an image that is there is not lost when the deadline comes before the other", async () => {
    const prompt = "Late [[sim:RATE_LIMIT:3s*1]][[sim:THOUGHT_IMAGES*1]][[sim:HANG*9]]";
    const job = await client.end((await client.submit({ prompt, count: 2, deadline_seconds: 10 })).id);
    expect(job).toMatchObject({
      status: "succeeded",
      images: [{}],
      warnings: [expect.stringContaining("missing")],
    });
  });

  it("a call that hangs is given up in time, tried again, and its bill is said to be unknown", async () => {
    const job = await client.end((await client.submit({ prompt: "Hanging [[sim:HANG*1]]" })).id);
    expect(job).toMatchObject({
      status: "succeeded",
      attempts: 2,
      cost: { final: false, unknown_attempts: 1 },
    });
  });
});

describe("canceling", () => {
  it("stops a job while Gemini draws; nothing is shown, and it stays canceled", async () => {
    const { id } = await client.submit({ prompt: "Slow one [[sim:SLOW:4000]]" });
    while ((await client.read(id)).status === "queued") await sleep(50);
    expect((await client.cancel(id)).status).toBe("canceled");
    await sleep(5_000);
    expect(await client.read(id)).toMatchObject({ status: "canceled", images: [] });
  });
});

describe("many at once", () => {
  it("50 jobs posted at once all succeed, each paid for once", async () => {
    const before = (await ledgerAt(system.gemini.url)).totals.billed;
    const submitted = await Promise.all(
      Array.from({ length: 50 }, (_, n) => client.submit({ prompt: `Fruit ${n}` })),
    );
    const ended = await Promise.all(submitted.map(({ id }) => client.end(id)));
    expect(ended.map(({ status }) => status)).toEqual(Array(50).fill("succeeded"));
    expect((await ledgerAt(system.gemini.url)).totals.billed - before).toBe(50);
  });

  it("ten waiting requests hold up nobody: a submission still answers at once", async () => {
    const { id } = await client.submit({ prompt: "Long [[sim:SLOW:5000]]" });
    const waiting = Array.from({ length: 10 }, () => client.call("GET", `/v1/jobs/${id}?wait=25`));
    await sleep(300);
    const times: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const startedAt = performance.now();
      await client.submit({ prompt: `Quick ${n}` });
      times.push(performance.now() - startedAt);
    }
    expect(Math.min(...times)).toBeLessThan(200);
    for (const response of await Promise.all(waiting))
      expect(Job.parse(await response.json()).status).toBe("succeeded");
  });
});

describe("a worker that dies", () => {
  it("in the middle of a call leaves a job that still succeeds, once", async () => {
    const { id } = await client.submit({ prompt: "Mortal [[sim:SLOW:2500*1]]" });
    while ((await client.read(id)).status === "queued") await sleep(50);
    await sleep(500);
    expect(await system.killFunction("worker")).toBe(true);
    const job = await client.end(id);
    expect(job).toMatchObject({
      status: "succeeded",
      attempts: 2,
      images: [{}],
      cost: { unknown_attempts: 1 },
    });
  });
});

describe("a deleted job", () => {
  it("leaves nothing but a tombstone", async () => {
    const url = deleted[0]?.images[0]?.url ?? "";
    const store = storeAt(system.aws.s3);
    try {
      const left = async ({ id }: Job) => {
        const items = (await itemsIn(system.aws.dynamodb)).filter(({ pk }) => pk === `JOB#${id}`);
        const keys = [...(await keysIn(store, bucketOf(url)))].filter((key) => key.includes(id));
        return { items: items.map(({ status, purges }) => ({ status, purges })), keys };
      };
      const buried = { items: [{ status: "deleted", purges: 1 }], keys: [] };
      await vi.waitFor(
        async () => {
          for (const job of deleted) expect(await left(job)).toEqual(buried);
        },
        { timeout: 90_000, interval: 1_000 },
      );
      expect((await fetch(url)).status).toBe(404);
      expect((await left(kept)).keys).toHaveLength(2);
    } finally {
      store.destroy();
    }
  }, 120_000);
});

describe("logs", () => {
  it("never hold a prompt, a key or a signed URL", () => {
    const text = lines.join("\n");
    expect(text).toContain("Attempt ended");
    expect(text).not.toMatch(/banana on a plate|Make it blue|X-Amz-Signature/);
    expect(text).not.toContain(system.apiKey);
  });
});
