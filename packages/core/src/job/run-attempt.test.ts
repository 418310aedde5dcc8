import { createHash } from "node:crypto";
import { downloaded } from "@plantain/memory/downloader";
import { hanging, scriptedModel } from "@plantain/memory/model";
import { pngHeader } from "@plantain/memory/png";
import {
  sampleAnswer,
  sampleJob,
  samplePolicy,
  sampleRegistry,
  sampleRequest,
} from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../hash.ts";
import { cancel } from "./cancel.ts";
import type { Failure } from "./failure.ts";
import { imageKey, inputKey, outcomeKey } from "./keys.ts";
import { expectedMemory, memoryBudget } from "./memory-budget.ts";
import type { Jobs } from "./ports.ts";
import { failing, plenty, record, work, world } from "./run-attempt.fixture.ts";
import { runAttempt } from "./run-attempt.ts";
import { sweep } from "./sweep.ts";
import { transition } from "./transition.ts";

const overloaded: Failure = { code: "overloaded", message: "The model is overloaded", billed: "no" };
const refused: Failure = {
  code: "content_blocked.prompt",
  message: "Refused",
  billed: "no",
  upstream: { status: 200, finishReason: "PROHIBITED_CONTENT" },
};
describe("an attempt that goes well", () => {
  it("pays once, stores outcome and picture under its fence, commits, and acknowledges", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 1 });
    const { job, result, attempts } = await record(w, w.job.id);
    expect(job.status).toBe("succeeded");
    expect(result?.images).toMatchObject([{ index: 0, key: imageKey(w.job, 1, 0), mediaType: "image/png" }]);
    expect(attempts).toMatchObject([
      { fence: 1, ended: "succeeded", calls: [{ index: 0, billed: "yes", cost: 136_810_000 }] },
    ]);
    expect(await w.objects.size(outcomeKey(w.job, 1, 0))).not.toBeNull();
    expect(w.model.calls).toHaveLength(1);
    expect(w.queue.size).toBe(0);
  });

  it("makes one call per image wanted", async () => {
    const w = await world(scriptedModel(sampleAnswer("a"), sampleAnswer("b"), sampleAnswer("c")), {
      count: 3,
    });
    await work(w);
    const { result } = await record(w, w.job.id);
    expect(result?.images.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(w.model.calls).toHaveLength(3);
  });

  it("writes each time what follows its own last write, so that none is refused", async () => {
    const w = await world(
      scriptedModel(async (_call, signal) => {
        await w.clock.sleep(50_000, signal);
        return sampleAnswer();
      }),
    );
    const written: boolean[] = [];
    const write: Jobs["write"] = async (...change) => {
      const came = await w.jobs.write(...change);
      written.push(came.written);
      return came;
    };
    const done = work(w, { jobs: { ...w.jobs, write } });
    await w.clock.advance(51_000);
    await done;
    // Claimed, rechecked, two beats, succeeded
    expect(written).toEqual([true, true, true, true, true]);
  });

  it("beats while the call lasts, so that a slow job is nobody else's", async () => {
    const w = await world(
      scriptedModel(async (_call, signal) => {
        await w.clock.sleep(200_000, signal);
        return sampleAnswer();
      }),
    );
    const done = work(w);
    await w.clock.advance(199_000);
    expect(w.queue.receive(1)).toBeNull();
    await w.queue.send(w.job, 0);
    expect(await work(w)).toEqual({ ended: "leased" });
    await w.clock.advance(2_000);
    expect(await done).toEqual({ ended: "succeeded", fence: 1 });
    expect(w.model.calls).toHaveLength(1);
  });

  it("gives the model the reference images from the job's own prefix, copied there from an earlier job", async () => {
    const source = { sha256: "0".repeat(64), key: "out/acme/job_x/1/0" };
    const bytes = new TextEncoder().encode("earlier");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const w = await world(scriptedModel(failing(overloaded), sampleAnswer()), {
      images: [
        {
          sha256,
          mediaType: "image/png",
          bytes: 7,
          width: 1,
          height: 1,
          source: { jobId: sampleJob().id, index: 0, key: source.key },
        },
      ],
    });
    await w.objects.put(source.key, [bytes], { mediaType: "image/png", sha256 });
    await work(w);
    expect(await w.objects.get(inputKey(w.job, sha256))).toEqual(bytes);
    expect(w.model.calls[0]?.images).toEqual([{ mediaType: "image/png", bytes }]);
  });
});

describe("an attempt that fails", () => {
  it("is retried after its wait, by a new message", async () => {
    const w = await world(scriptedModel(failing(overloaded), sampleAnswer()));
    expect(await work(w)).toMatchObject({ ended: "retried", fence: 1 });
    expect((await record(w, w.job.id)).job).toMatchObject({
      status: "queued",
      lastFailure: { code: "overloaded" },
    });
    expect(w.queue.receive(1)).toBeNull();
    await w.clock.advance(10_000);
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
    const { attempts } = await record(w, w.job.id);
    expect(attempts.map(({ ended }) => ended)).toEqual(["retried", "succeeded"]);
    expect(w.queue.size).toBe(0);
  });

  it("is final when Gemini refuses, and nothing is tried again", async () => {
    const w = await world(scriptedModel(failing(refused)));
    expect(await work(w)).toMatchObject({ ended: "failed" });
    const { job } = await record(w, w.job.id);
    expect(job).toMatchObject({ status: "failed", failure: refused });
    expect(w.queue.size).toBe(0);
  });

  it("keeps the images that succeeded and pays only for the missing one", async () => {
    const w = await world(scriptedModel(sampleAnswer("a"), failing(overloaded), sampleAnswer("b")), {
      count: 2,
    });
    await work(w);
    await w.clock.advance(10_000);
    expect(await work(w)).toMatchObject({ ended: "succeeded", fence: 2 });
    const { result, attempts } = await record(w, w.job.id);
    expect(result?.images.map(({ key }) => key)).toEqual([imageKey(w.job, 1, 0), imageKey(w.job, 2, 1)]);
    expect(attempts[1]?.calls.map(({ index }) => index)).toEqual([1]);
    expect(w.model.calls).toHaveLength(3);
  });

  it("is a success with a warning when some images are refused for good", async () => {
    const w = await world(scriptedModel(sampleAnswer(), failing(refused)), { count: 2 });
    await work(w);
    const { job, result } = await record(w, w.job.id);
    expect(job.status).toBe("succeeded");
    expect(result?.warnings).toEqual(["An image of the 2 is missing: content_blocked.prompt: Refused"]);
  });

  it("ends as a timeout when the call takes too long, with the bill unknown", async () => {
    const w = await world(scriptedModel(hanging));
    const done = work(w);
    await w.clock.advance(samplePolicy.callMs + 1);
    expect(await done).toMatchObject({ ended: "retried", failure: { code: "timeout", billed: "unknown" } });
    const { attempts } = await record(w, w.job.id);
    expect(attempts[0]?.calls).toMatchObject([{ billed: "unknown", cost: null }]);
  });

  it("says so when a reference image is gone", async () => {
    const w = await world(scriptedModel(sampleAnswer()), {
      images: [
        { sha256: "0".repeat(64), mediaType: "image/png", bytes: 7, width: 1, height: 1, source: null },
      ],
    });
    expect(await work(w)).toMatchObject({ ended: "failed", failure: { code: "input_unavailable" } });
    expect(w.model.calls).toHaveLength(0);
  });
});

describe("a reference image by URL", () => {
  const url = "https://example.com/cat.png";
  const [cat, dog] = [pngHeader(3, 2), pngHeader(5, 4)];
  const known = { url, sha256: sha256Hex(cat), mediaType: "image/png", bytes: 45, width: 3, height: 2 };

  it("is fetched once: every call and every attempt sends the same picture, and the job tells of it", async () => {
    const w = await world(scriptedModel(failing(overloaded), sampleAnswer()), {
      images: [{ url }],
      count: 2,
    });
    w.downloader.serve(url, downloaded(cat), downloaded(dog));
    expect(await work(w)).toMatchObject({ ended: "retried" });
    await w.clock.advance(10_000);
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
    const sent = w.model.calls.map(({ images }) => images.map(({ bytes }) => bytes));
    expect(sent).toEqual([[cat], [cat], [cat]]);
    expect(w.downloader.asked).toEqual([url]);
    expect((await record(w, w.job.id)).result?.fetched).toEqual([known]);
  });

  it("is asked for again where its server failed, without a call and without a bill", async () => {
    const w = await world(scriptedModel(sampleAnswer()), { images: [{ url }] });
    w.downloader.serve(url, { type: "refused", status: 503 }, downloaded(cat));
    expect(await work(w)).toMatchObject({ ended: "retried", failure: { code: "input_fetch_failed" } });
    const { attempts } = await record(w, w.job.id);
    expect(attempts).toMatchObject([{ calls: [], failure: { code: "input_fetch_failed" } }]);
    expect(w.model.calls).toHaveLength(0);
    await w.clock.advance(10_000);
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
  });

  it("that isn't there fails the job, without a call", async () => {
    const w = await world(scriptedModel(sampleAnswer()), { images: [{ url }] });
    expect(await work(w)).toMatchObject({ ended: "failed", failure: { code: "input_unavailable" } });
    expect(w.model.calls).toHaveLength(0);
    expect((await record(w, w.job.id)).job).toMatchObject({
      failure: { message: "Cannot use image 0: its server answered with status 404", billed: "no" },
    });
  });

  it("counts, once it is there, for the memory that the calls wait for", async () => {
    const large = pngHeader(3, 2, 1_000_000);
    const request = { images: [{ url }], count: 2 };
    const w = await world(scriptedModel(sampleAnswer()), request);
    w.downloader.serve(url, downloaded(large));
    const one = expectedMemory(sampleRequest(request), "1K", large.length);
    const memory = memoryBudget(2 * one - 1); // for two, without the image
    expect(await work(w, { memory })).toMatchObject({ ended: "released" });
    expect(w.model.calls).toHaveLength(1);
  });

  it("is adopted with the outcome of an attempt that was lost", async () => {
    const w = await world(scriptedModel(sampleAnswer()), { images: [{ url }] });
    w.downloader.serve(url, downloaded(cat));
    const write: Jobs["write"] = (from, to, records) =>
      to.status === "succeeded" ? Promise.reject(new Error("Gone")) : w.jobs.write(from, to, records);
    const lost = work(
      w,
      { jobs: { ...w.jobs, write } },
      () => 6_000 + samplePolicy.callMs + samplePolicy.callMarginMs,
    );
    const gone = expect(lost).rejects.toThrow("Gone");
    await w.clock.advance(400_000);
    await gone;
    expect(await work(w)).toMatchObject({ ended: "succeeded", fence: 2 });
    expect(w.model.calls).toHaveLength(1);
    expect((await record(w, w.job.id)).result?.fetched).toEqual([known]);
  });
});

describe("a message that leads to no attempt", () => {
  it("is acknowledged when the job is over", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    await work(w);
    await w.queue.send(w.job, 0);
    expect(await work(w)).toEqual({ ended: "over" });
    expect(w.queue.size).toBe(0);
  });

  it("is waited for in place when it comes a little early, and sent again when much too early", async () => {
    const w = await world(scriptedModel(failing({ ...overloaded, retryAfterMs: 2_500 }), sampleAnswer()));
    await work(w);
    await w.queue.send(w.job, 0);
    const early = work(w);
    await w.clock.advance(7_000);
    expect(await early).toEqual({ ended: "succeeded", fence: 2 });

    const late = await world(scriptedModel(failing({ ...overloaded, retryAfterMs: 50_000 }), sampleAnswer()));
    await work(late);
    await late.queue.send(late.job, 0);
    expect(await work(late)).toEqual({ ended: "not_due" });
    expect(late.queue.size).toBe(2);
    expect(late.queue.receive(1)).toBeNull();
  });

  it("fails the job when its deadline has passed", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    await w.clock.advance(1_800_000);
    expect(await work(w)).toEqual({ ended: "expired" });
    expect((await record(w, w.job.id)).job).toMatchObject({ failure: { code: "deadline_exceeded" } });
    expect(w.model.calls).toHaveLength(0);
  });
});

describe("a worker that dies", () => {
  it("before paying leaves the job to the next, once the lease is over", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const jobs: Jobs = { ...w.jobs, read: () => new Promise(() => undefined) };
    void work(w, { jobs, policy: { ...samplePolicy, beatMs: 10_000_000 } });
    await w.clock.advance(10);
    await w.queue.send(w.job, 0);
    expect(await work(w)).toEqual({ ended: "leased" });
    await w.clock.advance(samplePolicy.beatVisibilityMs);
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
    const { attempts, job } = await record(w, w.job.id);
    expect(attempts.map(({ ended }) => ended)).toEqual(["worker_lost", "succeeded"]);
    expect(job.crashes).toBe(1);
    expect(w.model.calls).toHaveLength(1);
  });

  it("after the picture was stored is not paid for again: the next adopts it, and its bill", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const jobs: Jobs = {
      ...w.jobs,
      write: (from, to, records) =>
        to.status === "succeeded" ? Promise.reject(new Error("Gone")) : w.jobs.write(from, to, records),
      settle: () => Promise.resolve(),
    };
    const dying = expect(work(w, { jobs })).rejects.toThrow("Gone");
    await w.clock.advance(plenty());
    await dying;
    await w.clock.advance(samplePolicy.beatVisibilityMs + samplePolicy.leaseMs);
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
    const { result, attempts } = await record(w, w.job.id);
    expect(result?.images[0]?.key).toBe(imageKey(w.job, 1, 0));
    expect(attempts).toMatchObject([
      { fence: 1, ended: "worker_lost", calls: [{ billed: "yes", cost: 136_810_000 }] },
      { fence: 2, ended: "succeeded", calls: [] },
    ]);
    expect(w.model.calls).toHaveLength(1);
  });

  it("between outcome and picture is paid for again, and both bills are told", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const objects = {
      ...w.objects,
      put: (key: string, ...rest: [never, never]) =>
        key.startsWith("out/") ? Promise.reject(new Error("Gone")) : w.objects.put(key, ...rest),
    };
    const dying = expect(work(w, { objects })).rejects.toThrow("Gone");
    await w.clock.advance(plenty());
    await dying;
    await w.clock.advance(samplePolicy.beatVisibilityMs + samplePolicy.leaseMs);
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
    const { attempts } = await record(w, w.job.id);
    expect(attempts.map(({ calls }) => calls[0]?.billed)).toEqual(["yes", "yes"]);
    expect(w.model.calls).toHaveLength(2);
  });

  it("is replaced within 150 s of its last sign of life, without the sweep", async () => {
    const w = await world(scriptedModel(hanging, sampleAnswer()));
    const dead: Jobs["write"] = () => new Promise(() => undefined);
    let beats = 0;
    const write: Jobs["write"] = (from, to, records) => {
      if (from.status === "running" && to.status === "running" && to.paying.length > 0) beats += 1;
      return beats > 3 ? dead(from, to, records) : w.jobs.write(from, to, records);
    };
    void work(w, { jobs: { ...w.jobs, write } });
    await w.clock.advance(3 * samplePolicy.beatMs + 5_000);
    expect(beats, "a recheck, two beats, and one that it died in").toBe(4);
    await w.clock.advance(150_000 - 5_000);
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
  });

  it("is found by the sweep when its message is lost too", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const received = w.queue.receive(1);
    await received?.message.ack();
    expect(await sweep(w.ports, plenty)).toEqual({
      looked: 0,
      sent: 0,
      promoted: 0,
      expired: 0,
      purged: 0,
      faults: [],
    });
    await w.clock.advance(60_000);
    expect(await sweep(w.ports, plenty)).toEqual({
      looked: 1,
      sent: 1,
      promoted: 0,
      expired: 0,
      purged: 0,
      faults: [],
    });
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 1 });
  });
});

describe("the sweep", () => {
  it("goes on with every other job when it can't deal with one", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const bad = sampleJob({ createdAt: w.clock.now() });
    await w.jobs.create(bad, sampleRequest(), null, w.clock.now());
    await w.queue.receive(1)?.message.ack();
    await w.clock.advance(60_000);
    const load: Jobs["load"] = (id) =>
      id === bad.id ? Promise.reject(new Error("Unreadable")) : w.jobs.load(id);
    const swept = await sweep({ ...w.ports, jobs: { ...w.jobs, load } }, plenty);
    expect(swept).toMatchObject({ looked: 1, sent: 1, faults: [new Error("Unreadable")] });
    expect(await work(w)).toMatchObject({ ended: "succeeded" });
  });
});

describe("a store that fails for a while", () => {
  it("after payment is insisted on: the image isn't paid for again", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const back = w.clock.now() + 120_000;
    const put: typeof w.objects.put = (...asked) =>
      w.clock.now() < back ? Promise.reject(new Error("Slow down")) : w.objects.put(...asked);
    const done = work(w, { objects: { ...w.objects, put } });
    await w.clock.advance(130_000);
    expect(await done).toEqual({ ended: "succeeded", fence: 1 });
    expect(w.model.calls).toHaveLength(1);
  });

  it("is no reason to stop where only the message is gone: a duplicate found the lease live and deleted it", async () => {
    const w = await world(
      scriptedModel(async (_call, signal) => {
        await w.clock.sleep(50_000, signal);
        return sampleAnswer();
      }),
    );
    const received = w.queue.receive(2_000_000);
    if (!received) throw new Error("No message is visible");
    let extended = 0;
    const extend = () => {
      extended += 1;
      return extended === 1 ? Promise.resolve() : Promise.reject(new Error("The message does not exist"));
    };
    const done = runAttempt(w.ports, received.jobId, { ...received.message, extend }, plenty);
    await w.clock.advance(60_000);
    expect(await done).toEqual({ ended: "succeeded", fence: 1 });
    expect(extended).toBeGreaterThan(2);
    expect(w.model.calls).toHaveLength(1);
  });

  it("while a lease is renewed gives the message back, since nobody else has the job", async () => {
    const w = await world(scriptedModel(hanging));
    const write: Jobs["write"] = (from, to, records) =>
      to.status === "running" && to.paying.length > 0 && from.status === "running" && from.paying.length > 0
        ? Promise.reject(new Error("Throttled"))
        : w.jobs.write(from, to, records);
    const done = expect(work(w, { jobs: { ...w.jobs, write } })).rejects.toThrow("beat_failed");
    await w.clock.advance(samplePolicy.beatMs + 1);
    await done;
    expect(w.queue.size).toBe(1);
  });
});

describe("a job that ends under its worker", () => {
  it("by cancel: the next beat aborts the call, nothing is committed, and the bill stays unknown", async () => {
    const w = await world(scriptedModel(hanging));
    const startedAt = w.clock.now();
    const done = work(w);
    await w.clock.advance(1_000);
    const canceled = await cancel(w.ports, "acme", w.job.id);
    expect(canceled.status).toBe("canceled");
    await w.clock.advance(samplePolicy.beatMs);
    expect(await done).toEqual({ ended: "lease_lost", fence: 1 });
    const { job, attempts } = await record(w, w.job.id);
    expect(job.status).toBe("canceled");
    expect(attempts).toMatchObject([
      { fence: 1, ended: "canceled", calls: [{ billed: "unknown", startedAt }] },
    ]);
    expect(w.queue.size).toBe(0);
  });

  it("by cancel while the answer is in: the attempt still tells what it cost", async () => {
    const w = await world(
      scriptedModel(async () => {
        await cancel(w.ports, "acme", w.job.id);
        return sampleAnswer();
      }),
    );
    expect(await work(w)).toEqual({ ended: "lease_lost", fence: 1 });
    const { job, attempts, result } = await record(w, w.job.id);
    expect(job.status).toBe("canceled");
    expect(result).toBeNull();
    expect(attempts).toMatchObject([{ ended: "canceled", calls: [{ billed: "yes", cost: 136_810_000 }] }]);
  });

  it("by another's claim: a worker that froze past its lease doesn't pay when it wakes", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    let isFrozen = true;
    const jobs: Jobs = {
      ...w.jobs,
      async read(id) {
        if (isFrozen) await w.clock.sleep(samplePolicy.leaseMs + 5_000);
        isFrozen = false;
        return w.jobs.read(id);
      },
    };
    const withoutBeats = { ...samplePolicy, beatMs: 10_000_000 };
    const sleeper = work(w, { jobs, policy: withoutBeats });
    await w.clock.advance(samplePolicy.leaseMs + 1_000);
    await w.queue.send(w.job, 0);
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
    await w.clock.advance(10_000);
    expect(await sleeper).toEqual({ ended: "lease_lost", fence: 1 });
    expect(w.model.calls).toHaveLength(1);
  });

  it("by another's claim: nor does it while that one has a fresh lease and is at its call", async () => {
    const w = await world(
      scriptedModel(async (_call, signal) => {
        await w.clock.sleep(30_000, signal);
        return sampleAnswer();
      }, sampleAnswer()),
    );
    const read: Jobs["read"] = async (id) => {
      await w.clock.sleep(samplePolicy.leaseMs + 5_000);
      return w.jobs.read(id);
    };
    const withoutBeats = { ...samplePolicy, beatMs: 10_000_000 };
    const sleeper = work(w, { jobs: { ...w.jobs, read }, policy: withoutBeats });
    await w.clock.advance(samplePolicy.leaseMs + 1_000);
    await w.queue.send(w.job, 0);
    const other = work(w);
    await w.clock.advance(10_000);
    expect(await sleeper).toEqual({ ended: "lease_lost", fence: 1 });
    await w.clock.advance(30_000);
    expect(await other).toEqual({ ended: "succeeded", fence: 2 });
    expect(w.model.calls).toHaveLength(1);
  });
});

describe("a recheck that froze on its way", () => {
  const half = samplePolicy.beatMs / 2;

  it.each([
    ["is made again, for the lease that it renewed is old: nothing is paid under such a one", half + 1, 2],
    ["is good enough where that was short", half - 1, 1],
  ])("%s", async (_name, frozenMs, expected) => {
    const rechecks: number[] = [];
    const w = await world(
      scriptedModel(async () => {
        const job = await w.jobs.load(w.job.id);
        expect(job?.status === "running" && job.leaseUntil).toBeGreaterThan(
          w.clock.now() + samplePolicy.leaseMs - half,
        );
        return sampleAnswer();
      }),
    );
    const write: Jobs["write"] = async (from, to, records) => {
      if (to.status === "running" && to.paying.length > 0) {
        rechecks.push(w.clock.now());
        if (rechecks.length === 1) await w.clock.sleep(frozenMs);
      }
      return w.jobs.write(from, to, records);
    };
    const done = work(w, { jobs: { ...w.jobs, write } });
    await w.clock.advance(frozenMs);
    expect(await done).toEqual({ ended: "succeeded", fence: 1 });
    expect(rechecks).toHaveLength(expected);
  });
});

describe("a store that is slow", () => {
  it("is asked three times for a fresh lease; then the job is given back, and nothing is paid", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    let rechecks = 0;
    const write: Jobs["write"] = async (from, to, records) => {
      if (to.status === "running" && to.paying.length > 0) {
        rechecks += 1;
        await w.clock.sleep(samplePolicy.beatMs / 2 + 1);
      }
      return w.jobs.write(from, to, records);
    };
    const done = work(w, { jobs: { ...w.jobs, write }, policy: { ...samplePolicy, beatMs: 20_001 } });
    await w.clock.advance(60_000);
    expect(await done).toEqual({ ended: "released", fence: 1 });
    expect(rechecks).toBeGreaterThanOrEqual(3);
    expect(w.model.calls).toEqual([]);
    const { job, attempts } = await record(w, w.job.id);
    expect(job).toMatchObject({ status: "queued", crashes: 0, spent: {} });
    expect(attempts).toMatchObject([{ ended: "released", reason: "lease_age" }]);
  });

  it("keeps no attempt looking that has to stop", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const write: Jobs["write"] = async (from, to, records) => {
      if (to.status === "running" && to.paying.length > 0) await w.clock.sleep(15_000);
      return w.jobs.write(from, to, records);
    };
    const done = work(w, { jobs: { ...w.jobs, write } }, () => 25_000);
    const stopped = expect(done).rejects.toThrow("the function's time is over");
    await w.clock.advance(60_000);
    await stopped;
    expect(w.model.calls).toEqual([]);
  });

  it("takes time that the call would need: how much is left is looked at last", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const write: Jobs["write"] = async (from, to, records) => {
      if (to.status === "running" && to.paying.length > 0) await w.clock.sleep(5_000);
      return w.jobs.write(from, to, records);
    };
    const until = w.clock.now() + samplePolicy.callMs + samplePolicy.callMarginMs + 4_000;
    const done = work(w, { jobs: { ...w.jobs, write } }, () => until - w.clock.now());
    await w.clock.advance(10_000);
    expect(await done).toEqual({ ended: "released", fence: 1 });
    expect(w.model.calls).toEqual([]);
  });

  it("or that fails at times is asked again, for whoever gave up would leave the job to its lease", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const failing = new Set(["read"]);
    const read: Jobs["read"] = (id) => {
      if (failing.delete("read")) return Promise.reject(new Error("Throttled"));
      return w.jobs.read(id);
    };
    const done = work(w, { jobs: { ...w.jobs, read } });
    await w.clock.advance(10_000);
    expect(await done).toEqual({ ended: "succeeded", fence: 1 });
  });
});

describe("a call that may be begun", () => {
  it("has all of its time, and then half of what is kept for after it, before the function's is over", async () => {
    const policy = { ...samplePolicy, callMs: 8_000, callMarginMs: 2_000, leaseMs: 3_000, beatMs: 1_000 };
    const w = await world(
      scriptedModel(async (_call, signal) => {
        await w.clock.sleep(7_900, signal);
        signal.throwIfAborted();
        return sampleAnswer();
      }),
    );
    const until = w.clock.now() + policy.callMs + policy.callMarginMs + 100;
    const done = work(w, { policy }, () => until - w.clock.now());
    await w.clock.advance(12_000);
    expect(await done).toEqual({ ended: "succeeded", fence: 1 });
  });
});

describe("a job that the sweep ended as its owner would have", () => {
  it("still hears from the owner what the call cost", async () => {
    const blocked: Failure = { code: "content_blocked.output", message: "Withheld", billed: "yes" };
    const usage = { inputText: 5, inputImage: 0, outputText: 0, outputImage: 1120, thinking: 0 };
    const w = await world(scriptedModel({ type: "failure", failure: blocked, usage }));
    const write: Jobs["write"] = async (from, to, records) => {
      if (to.status === "failed") {
        const gone = w.clock.now() + 10_000_000;
        await transition(w.jobs, from, { type: "expired", at: gone }, samplePolicy);
      }
      return w.jobs.write(from, to, records);
    };
    await work(w, { jobs: { ...w.jobs, write } });
    const { job, attempts } = await record(w, w.job.id);
    expect(job).toMatchObject({ status: "failed", failure: { code: "deadline_exceeded" } });
    expect(attempts).toMatchObject([{ ended: "expired", calls: [{ billed: "yes", cost: 134_410_000 }] }]);
  });
});

describe("a bill that can't be told at once", () => {
  it("is told again, for nobody else knows of it", async () => {
    const w = await world(
      scriptedModel(async () => {
        await cancel(w.ports, "acme", w.job.id);
        return sampleAnswer();
      }),
    );
    let left = 2;
    const settle: Jobs["settle"] = (...told) => {
      left -= 1;
      return left >= 0 ? Promise.reject(new Error("Throttled")) : w.jobs.settle(...told);
    };
    const done = work(w, { jobs: { ...w.jobs, settle } });
    await w.clock.advance(10_000);
    expect(await done).toEqual({ ended: "lease_lost", fence: 1 });
    expect((await record(w, w.job.id)).attempts).toMatchObject([{ calls: [{ billed: "yes" }] }]);
  });

  it("is told three times at most, ever later; then the message goes back with what was wrong", async () => {
    const w = await world(
      scriptedModel(async () => {
        await cancel(w.ports, "acme", w.job.id);
        return sampleAnswer();
      }),
    );
    const start = w.clock.now();
    const tries: number[] = [];
    const settle: Jobs["settle"] = () => {
      tries.push(w.clock.now() - start);
      return Promise.reject(new Error("Throttled"));
    };
    const random = { ...w.ports.random, fraction: () => 0.5 };
    const done = expect(work(w, { jobs: { ...w.jobs, settle }, random })).rejects.toThrow("Throttled");
    await w.clock.advance(10_000);
    await done;
    expect(tries).toEqual([0, 200, 600]);
    expect(w.queue.size).toBe(1);
  });
});

describe("an attempt without the time to finish", () => {
  it("gives the job back without spending anything", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    expect(await work(w, {}, () => samplePolicy.callMs)).toEqual({ ended: "released", fence: 1 });
    expect((await record(w, w.job.id)).job).toMatchObject({ status: "queued", crashes: 0, spent: {} });
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
  });
});

describe("images that don't all come at once", () => {
  it("are paid for a few at a time where memory is short, each once", async () => {
    const w = await world(scriptedModel(sampleAnswer("a"), sampleAnswer("b"), sampleAnswer("c")), {
      count: 3,
    });
    const memory = memoryBudget(2.5 * expectedMemory(sampleRequest(), "1K", 0));
    expect(await work(w, { memory })).toMatchObject({ ended: "released" });
    expect((await record(w, w.job.id)).job).toMatchObject({ status: "queued", spent: {}, crashes: 0 });
    expect(await work(w, { memory })).toMatchObject({ ended: "succeeded" });
    const { result, attempts } = await record(w, w.job.id);
    expect(result?.images.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(attempts.map(({ calls }) => calls.map(({ index }) => index))).toEqual([[0, 1], [2]]);
    expect(w.model.calls).toHaveLength(3);
  });

  it("are not lost when the deadline comes before the rest", async () => {
    const patient: Failure = { ...overloaded, retryAfterMs: 800_000 };
    const w = await world(scriptedModel(sampleAnswer(), failing(patient)), { count: 2 });
    const v = await world(scriptedModel(sampleAnswer(), failing(patient)), { count: 2 });
    await w.clock.advance(1_200_000);
    expect(await work(w), "no retry fits before the deadline").toMatchObject({ ended: "succeeded" });
    expect(await work(v)).toMatchObject({ ended: "retried" });
    await v.clock.advance(1_800_000);
    expect(await sweep(v.ports, plenty)).toMatchObject({ expired: 1 });
    for (const each of [w, v]) {
      const { job, result } = await record(each, each.job.id);
      expect(job.status).toBe("succeeded");
      expect(result).toMatchObject({
        images: [{ index: 0 }],
        warnings: [expect.stringContaining("overloaded")],
      });
    }
  });

  it("each spend the budget of their own failure; what is spent is final, and is not paid again", async () => {
    const words: Failure = { code: "text_only", message: "No", billed: "yes" };
    const limited: Failure = { code: "upstream_error", message: "Broken", billed: "no" };
    const w = await world(
      scriptedModel(failing(words), failing(limited), failing(words), failing(limited), sampleAnswer()),
      { count: 2 },
    );
    for (const _ of [1, 2]) {
      expect(await work(w)).toMatchObject({ ended: "retried" });
      await w.clock.advance(20_000);
    }
    expect(await work(w)).toMatchObject({ ended: "succeeded" });
    expect(w.model.calls, "2 + 2, then only the one that may still come").toHaveLength(5);
    const { result } = await record(w, w.job.id);
    expect(result).toMatchObject({
      images: [{ index: 1 }],
      warnings: [expect.stringContaining("text_only")],
    });
  });
});

describe("a model that the deployment no longer knows", () => {
  it("is not paid for", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    const registry = { ...sampleRegistry, find: () => null };
    expect(await work(w, { registry })).toMatchObject({
      ended: "retried",
      failure: { code: "provider_configuration" },
    });
    expect(w.model.calls).toHaveLength(0);
  });
});

describe("a commit whose answer is lost", () => {
  it("is its own success when it is repeated", async () => {
    const w = await world(scriptedModel(sampleAnswer()));
    let lost = false;
    const jobs: Jobs = {
      ...w.jobs,
      async write(from, to, records) {
        const written = await w.jobs.write(from, to, records);
        if (!written.written || to.status !== "succeeded" || lost) return written;
        lost = true;
        throw new Error("Timed out");
      },
    };
    const done = work(w, { jobs });
    await w.clock.advance(1_000);
    expect(await done).toEqual({ ended: "succeeded", fence: 1 });
    expect(w.queue.size).toBe(0);
  });

  it("sends the next message when it was a retry", async () => {
    const w = await world(scriptedModel(failing(overloaded), sampleAnswer()));
    let lost = false;
    const jobs: Jobs = {
      ...w.jobs,
      async write(from, to, records) {
        const written = await w.jobs.write(from, to, records);
        if (!written.written || to.status !== "queued" || lost) return written;
        lost = true;
        throw new Error("Timed out");
      },
    };
    const done = work(w, { jobs });
    await w.clock.advance(1_000);
    expect(await done).toMatchObject({ ended: "retried" });
    await w.clock.advance(10_000);
    expect(await work(w)).toEqual({ ended: "succeeded", fence: 2 });
  });
});
