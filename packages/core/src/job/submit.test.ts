import { manualClock, seededRandom } from "@plantain/memory/clock";
import { memoryJobs } from "@plantain/memory/jobs";
import { memoryObjects } from "@plantain/memory/objects";
import { pngHeader } from "@plantain/memory/png";
import { memoryPools } from "@plantain/memory/pools";
import { memoryQueue } from "@plantain/memory/queue";
import { sampleLimits, samplePolicy } from "@plantain/memory/samples";
import { storeSucceeded } from "@plantain/memory/succeeded";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../hash.ts";
import { pricingVersion } from "../model/models.ts";
import { registryOf } from "../model/registry.ts";
import { cancel } from "./cancel.ts";
import { deleteJob } from "./delete-job.ts";
import { inputKey } from "./keys.ts";
import type { Jobs, Objects } from "./ports.ts";
import type { Submission, SubmittedImage } from "./submission.ts";
import { submit } from "./submit.ts";

const png = (width: number) => pngHeader(width, 7);
const picture = (width = 1): SubmittedImage => ({ type: "data", bytes: png(width), mediaType: null });

function world() {
  const clock = manualClock();
  const queue = memoryQueue(clock);
  const ports = {
    jobs: memoryJobs(),
    queue,
    objects: memoryObjects(),
    pools: memoryPools(),
    limits: sampleLimits,
    clock,
    random: seededRandom(),
    policy: samplePolicy,
    registry: registryOf({
      retired: "serve",
      overrides: [{ id: "choosy", like: "gemini-3-pro-image", inputTypes: ["image/jpeg"] }],
    }),
    defaultModel: "nano-banana-pro",
  };
  const unsent: unknown[] = [];
  const submitted = (about: Partial<Submission> = {}, key: string | null = null, change = {}) => {
    const submission: Submission = {
      model: null,
      prompt: "A banana on a plate",
      images: [],
      aspectRatio: null,
      imageSize: null,
      count: 2,
      output: "image",
      thinking: null,
      grounding: { web: false, images: false },
      safety: {},
      seed: 4,
      continueFrom: null,
      deadlineMs: 600_000,
      metadata: {},
      webhook: null,
      ...about,
    };
    return submit({ ...ports, ...change }, "acme", submission, key, (error) => unsent.push(error));
  };
  return { ...ports, submitted, unsent };
}

/** An earlier job whose image has this many bytes. */
const heavy = (jobs: Jobs, bytes: number) => storeSucceeded(jobs, { images: [{ bytes }] });

describe("a submission", () => {
  it("becomes a job that is stored with its request, and its message is sent", async () => {
    const w = world();
    const now = w.clock.now();
    const { job, request, replayed } = await w.submitted({ metadata: { order: "7" }, aspectRatio: "16:9" });
    expect(replayed).toBe(false);
    expect(job).toMatchObject({
      tenant: "acme",
      model: "gemini-3-pro-image",
      count: 2,
      status: "queued",
      createdAt: now,
      deadlineAt: now + 600_000,
    });
    expect(request).toMatchObject({
      requestedModel: "nano-banana-pro",
      prompt: "A banana on a plate",
      aspectRatio: "16:9",
      count: 2,
      seed: 4,
      metadata: { order: "7" },
      images: [],
      continueFrom: null,
      warnings: [],
      pricingVersion,
    });
    expect(request.estimatedCost).toBeGreaterThan(2 * 134_000_000);
    expect(request).not.toHaveProperty("model");
    expect(request).not.toHaveProperty("deadlineMs");
    expect(await w.jobs.read(job.id)).toEqual({
      job,
      request: { ...request, continued: null, history: [] },
      result: null,
      attempts: [],
    });
    expect(w.queue.receive(1)?.jobId).toBe(job.id);
    expect(w.unsent).toEqual([]);
  });

  it("without a key looks for no earlier one", async () => {
    const w = world();
    const findByKey: Jobs["findByKey"] = () => Promise.reject(new Error("There is no key to look for"));
    const { replayed } = await w.submitted({}, null, { jobs: { ...w.jobs, findByKey } });
    expect(replayed).toBe(false);
  });

  it("says of how its job may end its own webhook hears, which is of nothing where it has none", async () => {
    const w = world();
    const secret = `whsec_${Buffer.alloc(24, 1).toString("base64")}` as const;
    const webhook = { url: "https://example.com/hook", events: ["job.failed" as const], secret };
    expect((await w.submitted({ webhook })).job.notifies).toEqual(["job.failed"]);
    expect((await w.submitted()).job.notifies).toEqual([]);
  });

  it("is served by the model that it names, with what there is to know of that", async () => {
    const { job, request } = await world().submitted({ model: "gemini-3-pro-image-preview" });
    expect(job.model).toBe("gemini-3-pro-image");
    expect(request.requestedModel).toBe("gemini-3-pro-image-preview");
    expect(request.warnings).toEqual([expect.stringContaining("shut down")]);
  });

  it("is refused where the model can't do it, before anything is stored", async () => {
    const w = world();
    await expect(w.submitted({ thinking: "high" }, "key")).rejects.toMatchObject({ field: "thinking" });
    await expect(w.submitted({ model: "dall-e" }, "key")).rejects.toMatchObject({ code: "unknown_model" });
    expect(await w.jobs.findByKey("acme", "key", w.clock.now())).toBeNull();
    expect(w.queue.size).toBe(0);
  });

  it("stands though its message can't be sent: the sweep makes that good", async () => {
    const w = world();
    const down = new Error("The queue is down");
    const { job } = await w.submitted({}, null, { queue: { send: () => Promise.reject(down) } });
    expect(await w.jobs.load(job.id)).toEqual(job);
    expect(w.unsent).toEqual([down]);
  });
});

describe("a place for a new job", () => {
  const tenant = "tenant:acme";
  const model = "model:gemini-3-pro-image";
  const none = { limits: { ...sampleLimits, callsPerModel: 0 } };

  it("is taken before its message is sent, for its first attempt", async () => {
    const w = world();
    const { job } = await w.submitted();
    const until = w.clock.now() + samplePolicy.arrivalMs + 2 * samplePolicy.callMs;
    expect((await w.pools.load(tenant)).slots).toMatchObject({ [job.id]: { fence: 1, calls: 1, until } });
    expect((await w.pools.load(model)).slots).toMatchObject({ [job.id]: { fence: 1, calls: 2, until } });
  });

  it("is waited for without a message where there is none", async () => {
    const w = world();
    const now = w.clock.now();
    const { job } = await w.submitted({}, null, none);
    expect(job.held, "it is shown as it was made").toBeNull();
    expect(await w.jobs.load(job.id)).toMatchObject({
      status: "queued",
      held: { by: model, reason: "model_limit", since: now, until: null },
    });
    expect((await w.pools.load(model)).waiting).toMatchObject({ acme: { joinedAt: now } });
    expect(w.queue.size).toBe(0);
    expect(w.unsent).toEqual([]);
  });

  it("isn't waited for by a job that was canceled meanwhile", async () => {
    const w = world();
    const write: Jobs["write"] = async (from, to, records) => {
      const now = await w.jobs.load(to.id);
      if (now?.status === "queued" && to.status === "queued") await cancel(w, "acme", to.id);
      return w.jobs.write(from, to, records);
    };
    const { job } = await w.submitted({}, null, { ...none, jobs: { ...w.jobs, write } });
    expect((await w.jobs.load(job.id))?.status).toBe("canceled");
    expect((await w.pools.load(model)).waiting).toEqual({});
  });

  it("isn't waited for by a job that is gone meanwhile, and that is no fault", async () => {
    const w = world();
    const write: Jobs["write"] = async () => ({ written: false, current: null });
    await w.submitted({}, null, { ...none, jobs: { ...w.jobs, write } });
    expect((await w.pools.load(model)).waiting).toEqual({});
    expect(w.unsent).toEqual([]);
  });

  it("is found by the worker where nobody can look for one now", async () => {
    const w = world();
    const load = () => Promise.reject(new Error("Throttled"));
    const { job } = await w.submitted({}, null, { pools: { ...w.pools, load } });
    expect(w.queue.receive(1)?.jobId).toBe(job.id);
    expect(w.unsent).toEqual([]);
  });
});

describe("reference images", () => {
  it("that are sent lie under the job's prefix before the job is there", async () => {
    const w = world();
    const order: string[] = [];
    const objects: Objects = {
      ...w.objects,
      put: (...asked) => {
        order.push("put");
        return w.objects.put(...asked);
      },
    };
    const create: Jobs["create"] = (...asked) => {
      order.push("create");
      return w.jobs.create(...asked);
    };
    const change = { objects, jobs: { ...w.jobs, create } };
    const { job, request } = await w.submitted({ images: [picture(3), picture(4)] }, null, change);
    expect(order).toEqual(["put", "put", "create"]);
    expect(request.images).toMatchObject([
      { width: 3, source: null },
      { width: 4, source: null },
    ]);
    expect(await w.objects.get(inputKey(job, sha256Hex(png(3))))).toEqual(png(3));
    expect(await w.objects.get(inputKey(job, sha256Hex(png(4))))).toEqual(png(4));
  });

  it("of earlier jobs stay where they are until a worker copies them", async () => {
    const w = world();
    const earlier = await heavy(w.jobs, 50);
    const { job, request } = await w.submitted({
      images: [{ type: "job", jobId: earlier.job.id, index: null }],
    });
    expect(request.images).toMatchObject([{ bytes: 50, source: { jobId: earlier.job.id } }]);
    expect(await w.objects.list(inputKey(job, ""))).toEqual([]);
  });

  it("by URL are kept as they are, beside others that are looked at", async () => {
    const w = world();
    const link = { type: "url", url: "https://example.com/cat.png" } as const;
    const { job, request } = await w.submitted({ images: [link, picture(3)] });
    expect(request.images).toMatchObject([{ url: link.url }, { width: 3 }]);
    expect(await w.objects.list("")).toEqual([inputKey(job, sha256Hex(png(3)))]);
    const choosy = { model: "choosy", images: [link] };
    expect((await w.submitted(choosy)).request.images).toEqual([{ url: link.url }]);
    const refused = w.submitted({ model: "choosy", images: [link, picture()] });
    await expect(refused).rejects.toMatchObject({ code: "invalid_image", field: "images[1]" });
  });

  it("are refused where the model doesn't take their type, with the one that it is about", async () => {
    const w = world();
    const jpegs = await storeSucceeded(w.jobs, { images: [{ mediaType: "image/jpeg" }] });
    const images: SubmittedImage[] = [{ type: "job", jobId: jpegs.job.id, index: null }, picture()];
    await expect(w.submitted({ model: "choosy", images })).rejects.toMatchObject({
      code: "invalid_image",
      message: 'Model "choosy" takes no image/png',
      field: "images[1]",
      allowed: ["image/jpeg"],
    });
    expect(await w.submitted({ model: "choosy", images: images.slice(0, 1) })).toBeDefined();
  });

  it("are refused where they are too heavy together, also with the one to go on from", async () => {
    const w = world();
    const half = await heavy(w.jobs, 30_000_000);
    const rest = await heavy(w.jobs, 30_000_001);
    const ref = ({ job }: typeof half) => ({ jobId: job.id, index: null });
    const image = (of: typeof half) => ({ type: "job" as const, ...ref(of) });
    expect(await w.submitted({ images: [image(half), image(half)] })).toBeDefined();
    const tooHeavy = {
      code: "image_too_large",
      message: expect.stringMatching(/have 60000001 bytes together.* about 60000000/),
      field: "images",
    };
    await expect(w.submitted({ images: [image(half), image(rest)] })).rejects.toMatchObject(tooHeavy);
    const onwards = w.submitted({ images: [image(half)], continueFrom: ref(rest) });
    await expect(onwards).rejects.toMatchObject(tooHeavy);
  });
});

describe("a submission that goes on from an earlier job", () => {
  it("has that job's turns before it", async () => {
    const w = world();
    const earlier = await heavy(w.jobs, 50);
    const { job } = await w.submitted({ continueFrom: { jobId: earlier.job.id, index: 0 } });
    expect((await w.jobs.read(job.id))?.request).toMatchObject({
      continueFrom: { jobId: earlier.job.id, index: 0 },
      continued: { bytes: 50 },
      history: [{ jobId: earlier.job.id, index: 0, bytes: 50, images: 0 }],
      warnings: [],
    });
  });

  it("is told after the choice of the model what can't be sent along", async () => {
    const w = world();
    const earlier = await storeSucceeded(w.jobs, { job: { model: "gemini-nano-banana-2.1" } });
    const { job, request } = await w.submitted({
      model: "gemini-3-pro-image-preview",
      continueFrom: { jobId: earlier.job.id, index: 0 },
    });
    expect((await w.jobs.read(job.id))?.request.history).toEqual([]);
    expect(request.warnings).toEqual([
      expect.stringContaining("shut down"),
      expect.stringContaining("The turns before were not sent"),
    ]);
  });
});

describe("an idempotency key", () => {
  it("makes one job of the same request, whatever has become of it since", async () => {
    const w = world();
    const first = await w.submitted({ images: [picture()] }, "key");
    await cancel(w, "acme", first.job.id);
    const again = await w.submitted({ images: [picture()] }, "key");
    expect(again).toEqual({ ...first, replayed: true });
    expect(w.queue.size).toBe(1);
  });

  it("answers also where the request would no longer be accepted", async () => {
    const w = world();
    const first = await w.submitted({}, "key");
    const other = { defaultModel: "dall-e" };
    expect(await w.submitted({}, "key", other)).toEqual({ ...first, replayed: true });
    await expect(w.submitted({}, "another", other)).rejects.toMatchObject({ code: "unknown_model" });
  });

  it("makes one job also of two requests at the same time", async () => {
    const w = world();
    const change = { jobs: { ...w.jobs, findByKey: async () => null } };
    const first = await w.submitted({}, "key", change);
    const again = await w.submitted({}, "key", change);
    expect(again).toEqual({ ...first, replayed: true });
    expect(w.queue.size).toBe(1);
    const other = w.submitted({ prompt: "Another" }, "key", change);
    await expect(other).rejects.toMatchObject({ code: "idempotency_key_reused" });
  });

  it("is refused for another request, be it by its words or by its pictures", async () => {
    const w = world();
    const { job } = await w.submitted({ images: [picture(1)] }, "key");
    const refusal = {
      code: "idempotency_key_reused",
      message: expect.stringContaining(job.id),
      field: "Idempotency-Key",
    };
    await expect(w.submitted({ images: [picture(2)] }, "key")).rejects.toMatchObject(refusal);
    await expect(w.submitted({ images: [picture(1)], count: 1 }, "key")).rejects.toMatchObject(refusal);
    await expect(w.submitted({}, "key")).rejects.toMatchObject(refusal);
    const earlier = await heavy(w.jobs, 50);
    const image = { type: "job", jobId: earlier.job.id, index: 0 } as const;
    await w.submitted({ images: [image] }, "other");
    await expect(w.submitted({ images: [{ ...image, index: null }] }, "other")).rejects.toMatchObject({
      code: "idempotency_key_reused",
    });
  });

  it("counts the default model as if it had been sent: the one that was the default then", async () => {
    const w = world();
    const { job } = await w.submitted({ model: null }, "key");
    const again = async (model: string | null, defaultModel: string) =>
      (await w.submitted({ model }, "key", { defaultModel })).job.id;
    expect(await again("nano-banana-pro", "nano-banana-pro")).toBe(job.id);
    expect(await again(null, "nano-banana")).toBe(job.id);
    expect(await again("nano-banana-pro", "nano-banana")).toBe(job.id);
    await expect(again("nano-banana", "nano-banana")).rejects.toMatchObject({
      code: "idempotency_key_reused",
    });
    await w.submitted({ model: "nano-banana" }, "other");
    await expect(w.submitted({ model: null }, "other")).rejects.toMatchObject({
      code: "idempotency_key_reused",
    });
  });

  it("minds the URL of a picture, not what that leads to", async () => {
    const w = world();
    const link = { type: "url", url: "https://example.com/cat.png" } as const;
    const { job } = await w.submitted({ images: [link] }, "key");
    expect((await w.submitted({ images: [link] }, "key")).job.id).toBe(job.id);
    const other = w.submitted({ images: [{ ...link, url: `${link.url}?v=2` }] }, "key");
    await expect(other).rejects.toMatchObject({ code: "idempotency_key_reused" });
  });

  it("doesn't mind what a picture was called", async () => {
    const w = world();
    const { job } = await w.submitted({ images: [picture()] }, "key");
    const called: SubmittedImage = { type: "data", bytes: png(1), mediaType: "image/png" };
    expect((await w.submitted({ images: [called] }, "key")).job.id).toBe(job.id);
  });

  it("is free again after a week, and different for each that has none", async () => {
    const w = world();
    const { job } = await w.submitted({}, "key");
    await w.clock.advance(7 * 24 * 3_600_000 - 1);
    expect((await w.submitted({}, "key")).job.id).toBe(job.id);
    await w.clock.advance(1);
    expect((await w.submitted({}, "key")).job.id).not.toBe(job.id);
    expect((await w.submitted()).job.id).not.toBe((await w.submitted()).job.id);
  });

  it("gives the same answer though the job was deleted, and makes no other in its place", async () => {
    const w = world();
    const asked = { images: [picture()], metadata: { order: "7" } };
    const first = await w.submitted(asked, "key");
    await cancel(w, "acme", first.job.id);
    await deleteJob(w, "acme", first.job.id);
    expect(await w.submitted(asked, "key")).toEqual({ ...first, replayed: true });
    const { jobs } = await w.jobs.list({ tenant: "acme", status: null, cursor: null, limit: 9 });
    expect(jobs).toEqual([]);
  });

  it("keeps nothing of what the caller wrote but URLs of images", async () => {
    const w = world();
    const secret = `whsec_${Buffer.alloc(24, 1).toString("base64")}` as const;
    const webhook = { url: "https://example.com/hook", events: [], secret };
    await w.submitted({ prompt: "My words", metadata: { order: "7" }, webhook }, "key");
    const kept = await w.jobs.findByKey("acme", "key", w.clock.now());
    expect(Object.keys(kept?.workedOut ?? {}).toSorted()).toEqual([
      "continueFrom",
      "estimatedCost",
      "images",
      "pricingVersion",
      "requestedModel",
      "warnings",
    ]);
    expect(JSON.stringify(kept)).not.toMatch(/My words|order|hook|whsec_/);
  });
});
