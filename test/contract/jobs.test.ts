import { dynamoJobs } from "@plantain/aws/dynamo-jobs";
import { DomainError } from "@plantain/core/error";
import { shardOf } from "@plantain/core/id";
import { advance } from "@plantain/core/job/advance";
import type { Call } from "@plantain/core/job/attempt";
import { unknownCall } from "@plantain/core/job/attempt";
import { type Fact, isFinished, type Job } from "@plantain/core/job/job";
import { dueShards, type Jobs } from "@plantain/core/job/ports";
import { WorkedOut } from "@plantain/core/job/request";
import { tombstoneOf } from "@plantain/core/job/tombstone";
import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emulatedTable } from "./emulators.ts";

const now = Date.UTC(2026, 10, 1);
const failure = {
  code: "overloaded",
  message: "The model is overloaded",
  billed: "no",
  upstream: { status: 503 },
} as const;

function next(job: Job, fact: Fact): Job {
  const to = advance(job, fact, samplePolicy);
  if ("refused" in to) throw new Error(`Refused: ${to.refused}`);
  return to;
}

const paid: Call = {
  ...unknownCall(0),
  billed: "yes",
  cost: 136_810_000,
  usage: { inputText: 5, inputImage: 0, outputText: 0, outputImage: 1120, thinking: 200 },
  upstream: { status: 200, finishReason: "STOP" },
  startedAt: now + 1,
  answeredAt: now + 2,
  storedAt: now + 3,
};
const image = {
  index: 0,
  fence: 1,
  usedHistory: true,
  key: "out/acme/x/1/0",
  mediaType: "image/png",
  width: 8,
  height: 8,
  bytes: 7,
  sha256: "00",
} as const;

const workedOut = WorkedOut.parse(sampleRequest());
const defaultModel = "nano-banana-pro";

/** What every implementation of the `Jobs` port does. */
function jobsContract(name: string, start: () => Promise<{ jobs: Jobs; stop(): Promise<void> }>) {
  describe(`Jobs, ${name}`, () => {
    let jobs: Jobs;
    let stop: () => Promise<void>;
    beforeAll(async () => ({ jobs, stop } = await start()));
    afterAll(() => stop());

    const created = async (about: Parameters<typeof sampleJob>[0] = {}) => {
      const job = sampleJob({ tenant: `t${Math.random()}`, ...about });
      expect(await jobs.create(job, sampleRequest(), null, now)).toEqual({ created: true });
      return job;
    };
    const running = async () => {
      const job = await created();
      const claimed = next(job, { type: "claimed", at: now });
      await jobs.write(job, claimed);
      return claimed;
    };

    it("gives back what was created", async () => {
      const job = sampleJob();
      const request = sampleRequest({
        aspectRatio: "16:9",
        metadata: { order: "42" },
        images: [
          {
            sha256: "0".repeat(64),
            mediaType: "image/webp",
            bytes: 9,
            width: 3,
            height: 3,
            source: { jobId: job.id, index: 0, key: "k" },
          },
        ],
      });
      await jobs.create(job, request, null, now);
      expect(await jobs.load(job.id)).toEqual(job);
      expect(await jobs.read(job.id)).toEqual({ job, request, result: null, attempts: [] });
    });

    it("knows nothing of a job that isn't there", async () => {
      const { id } = sampleJob();
      expect(await jobs.load(id)).toBeNull();
      expect(await jobs.read(id)).toBeNull();
      const job = sampleJob();
      expect(await jobs.write(job, next(job, { type: "claimed", at: now }))).toEqual({
        written: false,
        current: null,
      });
    });

    it("gives an idempotency key to one job only, while it lives", async () => {
      const tenant = `t${Math.random()}`;
      const idempotency = {
        key: 'order "42"',
        fingerprint: "f",
        expiresAt: now + 10_000,
        defaultModel,
        workedOut,
      };
      const first = sampleJob({ tenant });
      expect(await jobs.findByKey(tenant, idempotency.key, now)).toBeNull();
      expect(await jobs.create(first, sampleRequest(), idempotency, now)).toEqual({ created: true });
      const second = sampleJob({ tenant });
      const told = { job: first, workedOut, defaultModel, fingerprint: "f" };
      expect(await jobs.create(second, sampleRequest(), { ...idempotency, fingerprint: "g" }, now)).toEqual({
        created: false,
        holder: told,
      });
      expect(await jobs.load(second.id)).toBeNull();
      expect(await jobs.findByKey(tenant, idempotency.key, now)).toEqual(told);
      expect(await jobs.findByKey("another", idempotency.key, now)).toBeNull();
      expect(await jobs.findByKey(tenant, idempotency.key, now + 10_000)).toBeNull();
      const later = { ...idempotency, expiresAt: now + 20_000 };
      expect(await jobs.create(sampleJob({ tenant }), sampleRequest(), later, now + 10_000)).toEqual({
        created: true,
      });
    });

    it("lets exactly one of many creates with one key through", async () => {
      const tenant = `t${Math.random()}`;
      const idempotency = { key: "k", fingerprint: "f", expiresAt: now + 10_000, defaultModel, workedOut };
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          jobs.create(sampleJob({ tenant }), sampleRequest(), idempotency, now),
        ),
      );
      expect(answers.filter((answer) => answer.created)).toHaveLength(1);
    });

    it("writes a change only over what it follows, and tells the loser what is there", async () => {
      const job = await created();
      const claimed = next(job, { type: "claimed", at: now });
      expect(await jobs.write(job, claimed)).toEqual({ written: true });
      const canceled = next(job, { type: "canceled", at: now });
      expect(await jobs.write(job, canceled)).toEqual({ written: false, current: claimed });
      expect(await jobs.load(job.id)).toEqual(claimed);
    });

    it("lets exactly one of many claims through", async () => {
      const job = await created();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => jobs.write(job, next(job, { type: "claimed", at: now + n }))),
      );
      expect(answers.filter(({ written }) => written)).toHaveLength(1);
    });

    it("writes a success with its result and the attempt's line, all or nothing", async () => {
      const job = await running();
      const done = next(job, { type: "succeeded", at: now + 9, fence: 1 });
      const attempt = {
        fence: 1,
        queuedAt: now - 1,
        startedAt: now,
        endedAt: now + 9,
        ended: "succeeded",
        failure: null,
        reason: null,
        calls: [paid],
      } as const;
      const result = { images: [image], text: null, grounding: null, fetched: [], warnings: ["w"] };
      expect(await jobs.write(job, done, { attempt, result })).toEqual({ written: true });
      expect(await jobs.read(job.id)).toMatchObject({ job: done, result, attempts: [attempt] });
      const again = next(job, { type: "canceled", at: now + 9 });
      expect(await jobs.write(job, again, { attempt: { ...attempt, ended: "canceled" } })).toEqual({
        written: false,
        current: done,
      });
      expect((await jobs.read(job.id))?.attempts).toEqual([attempt]);
    });

    it("keeps a failure as it was told", async () => {
      const job = await running();
      const retried = next(job, {
        type: "attempt_failed",
        at: now + 9,
        fence: 1,
        failures: [failure],
        hasImages: true,
        opensAt: null,
        random: 0.5,
      });
      const attempt = {
        fence: 1,
        queuedAt: now - 1,
        startedAt: now,
        endedAt: now + 9,
        ended: "retried",
        failure,
        reason: null,
        calls: [],
      } as const;
      await jobs.write(job, retried, { attempt });
      expect(await jobs.read(job.id)).toMatchObject({ job: retried, attempts: [attempt] });
    });

    it("lists attempts by fence", async () => {
      let job: Job = await created();
      for (let fence = 1; fence <= 11; fence += 1) {
        const claimed = next(job, { type: "claimed", at: now });
        await jobs.write(job, claimed);
        job = next(claimed, { type: "released", at: now, fence, hasImages: false, held: null });
        const attempt = {
          fence,
          queuedAt: now - 1,
          startedAt: now,
          endedAt: now,
          ended: "released",
          failure: null,
          reason: null,
          calls: [],
        } as const;
        await jobs.write(claimed, job, { attempt });
      }
      const record = await jobs.read(job.id);
      expect(record?.attempts.map(({ fence }) => fence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    });

    describe("an attempt's bill", () => {
      const line = {
        fence: 1,
        queuedAt: now - 1,
        startedAt: now,
        endedAt: now + 9,
        ended: "canceled",
        failure: null,
        reason: null,
        calls: [unknownCall(0)],
      } as const;
      const billOf = async ({ id }: Job) =>
        (await jobs.read(id))?.attempts.map(({ ended, calls }) => ({ ended, calls }));

      it("told before the line is written stays", async () => {
        const job = await running();
        await jobs.settle(job.id, 1, [paid]);
        expect(await billOf(job)).toEqual([]);
        await jobs.write(job, next(job, { type: "canceled", at: now }), { attempt: line });
        expect(await billOf(job)).toEqual([{ ended: "canceled", calls: [paid] }]);
      });

      it("told after the line is written completes it, once", async () => {
        const job = await running();
        await jobs.write(job, next(job, { type: "canceled", at: now }), { attempt: line });
        expect(await billOf(job)).toEqual([{ ended: "canceled", calls: [unknownCall(0)] }]);
        await jobs.settle(job.id, 1, [paid]);
        await jobs.settle(job.id, 1, [{ ...paid, cost: 1 }]);
        expect(await billOf(job)).toEqual([{ ended: "canceled", calls: [paid] }]);
      });

      it("adds up what several know of an attempt's calls, whenever they tell it", async () => {
        const job = await running();
        const second = { ...paid, index: 1, cost: 5 };
        const told = async () => (await jobs.read(job.id))?.attempts[0]?.calls;
        const both = { ...line, calls: [unknownCall(0), unknownCall(1)] };
        await jobs.settle(job.id, 1, [unknownCall(0), second]);
        await jobs.write(job, next(job, { type: "canceled", at: now }), { attempt: both });
        expect(await told()).toEqual([unknownCall(0), second]);
        await jobs.settle(job.id, 1, [paid, unknownCall(1)]);
        expect(await told()).toEqual([paid, second]);
        const late = [0, 1].map((index) => ({ ...paid, index, cost: 99 }));
        await Promise.all([jobs.settle(job.id, 1, late), jobs.settle(job.id, 1, [unknownCall(0)])]);
        expect(await told()).toEqual([paid, second]);
      });

      it("loses nothing that two tell at the same time", async () => {
        const calls = [0, 1, 2, 3].map((index) => ({ ...paid, index }));
        const other = await running();
        const canceled = next(other, { type: "canceled", at: now });
        await jobs.write(other, canceled, { attempt: { ...line, calls: [] } });
        await Promise.all(calls.map((call) => jobs.settle(other.id, 1, [call])));
        expect((await jobs.read(other.id))?.attempts[0]?.calls).toEqual(calls);
      });
    });

    it("has a job in the due index while it is unfinished, in its shard, earliest first", async () => {
      const ids = new Set<string>();
      const shard = 3;
      const inShard = async (dueAt: number) => {
        for (;;) {
          const job = sampleJob({ dueAt });
          if (shardOf(job.id, dueShards) !== shard) continue;
          await jobs.create(job, sampleRequest(), null, now);
          ids.add(job.id);
          return job;
        }
      };
      const late = await inShard(now - 1);
      const early = await inShard(now - 2);
      await inShard(now + 1_000_000_000);
      const mine = async () => (await jobs.due(shard, now, 100)).filter(({ id }) => ids.has(id));
      expect(await mine()).toEqual([
        { id: early.id, dueAt: now - 2 },
        { id: late.id, dueAt: now - 1 },
      ]);
      expect(await jobs.due(shard, now, 1)).toHaveLength(1);
      await jobs.write(early, next(early, { type: "canceled", at: now }));
      expect(await mine()).toEqual([{ id: late.id, dueAt: now - 1 }]);
    });

    it("has a job in the line of what holds it, oldest first, until it is let in", async () => {
      const tenant = `t${Math.random()}`;
      const by = "model:gemini-3-pro-image";
      const held = { by, reason: "rate_limited", since: now, until: now + 30_000 } as const;
      const hold = async (about: Parameters<typeof sampleJob>[0]) => {
        const job = await created({ tenant, ...about });
        const to = next(job, { type: "held", at: now, held });
        await jobs.write(job, to);
        return to;
      };
      const late = await hold({ createdAt: now - 1 });
      const early = await hold({ createdAt: now - 2 });
      await hold({ tenant: `${tenant}-other` });
      expect(await jobs.load(early.id)).toMatchObject({ held });
      expect(await jobs.held(by, tenant, 10)).toEqual([early.id, late.id]);
      expect(await jobs.held(by, tenant, 1)).toEqual([early.id]);
      expect(await jobs.held(`tenant:${tenant}`, tenant, 10)).toEqual([]);
      await jobs.write(early, next(early, { type: "promoted", at: now }));
      expect(await jobs.load(early.id)).toMatchObject({ held: null });
      expect(await jobs.held(by, tenant, 10)).toEqual([late.id]);
    });

    it("lists a tenant's jobs newest first, page by page, also of one millisecond", async () => {
      const tenant = `t${Math.random()}`;
      const all: Job[] = [];
      for (let n = 0; n < 7; n += 1) all.push(await created({ tenant, createdAt: now + Math.floor(n / 3) }));
      await created({ tenant: `${tenant}-other` });
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<Jobs["list"]>> = await jobs.list({
          tenant,
          status: null,
          cursor,
          limit: 3,
        });
        seen.push(...page.jobs.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== null);
      const expected = all
        .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      expect(seen).toEqual(expected);
    });

    it("lists jobs of one status as they are, not as they were", async () => {
      const tenant = `t${Math.random()}`;
      const [first, second] = [await created({ tenant }), await created({ tenant, createdAt: now + 1 })];
      await jobs.write(first, next(first, { type: "canceled", at: now }));
      const query = { tenant, cursor: null, limit: 10 };
      expect((await jobs.list({ ...query, status: "queued" })).jobs).toEqual([second]);
      expect((await jobs.list({ ...query, status: "canceled" })).jobs).toMatchObject([{ id: first.id }]);
      expect(await jobs.list({ ...query, status: "failed" })).toEqual({ jobs: [], next: null });
    });

    describe("a job that is buried", () => {
      const over = async () => {
        const job = await running();
        const canceled = next(job, { type: "canceled", at: now });
        if (!isFinished(canceled)) throw new Error("It is over");
        await jobs.write(job, canceled);
        return canceled;
      };

      it("isn't there any more, and neither is anything of it", async () => {
        const job = await over();
        const call = { ...unknownCall(0), billed: "yes", cost: 1 } as const;
        await jobs.settle(job.id, 1, [call]);
        const tombstone = tombstoneOf(job, now);
        expect(await jobs.bury(job, tombstone)).toBe(true);
        await jobs.settle(job.id, 2, [call]);
        await jobs.eraseRecords(job.id);
        expect(await jobs.load(job.id)).toBeNull();
        expect(await jobs.read(job.id)).toBeNull();
        expect(await jobs.list({ tenant: job.tenant, status: null, cursor: null, limit: 9 })).toEqual({
          jobs: [],
          next: null,
        });
        expect(await jobs.loadTombstone(job.id)).toEqual(tombstone);
      });

      it("takes no write any more, and no second burial", async () => {
        const job = await over();
        await jobs.bury(job, tombstoneOf(job, now));
        const late = { ...job, version: job.version + 1 };
        expect(await jobs.write(job, late)).toEqual({ written: false, current: null });
        expect(await jobs.bury(job, tombstoneOf(job, now + 1))).toBe(false);
        expect(await jobs.loadTombstone(job.id)).toMatchObject({ deletedAt: now });
      });

      it("is not buried if it has changed", async () => {
        const job = await over();
        expect(await jobs.bury({ ...job, version: 1 }, tombstoneOf(job, now))).toBe(false);
        expect(await jobs.load(job.id)).toEqual(job);
        expect(await jobs.loadTombstone(job.id)).toBeNull();
        expect(await jobs.loadTombstone(sampleJob().id)).toBeNull();
      });

      it("is due as its tombstone says, until that is removed", async () => {
        const job = await over();
        const tombstone = tombstoneOf(job, now - 5);
        const due = async () =>
          (await jobs.due(shardOf(job.id, dueShards), now, 100)).filter(({ id }) => id === job.id);
        await jobs.bury(job, tombstone);
        expect(await due()).toEqual([{ id: job.id, dueAt: now - 5 }]);
        const later = { ...tombstone, dueAt: now + 1, version: tombstone.version + 1 };
        expect(await jobs.writeTombstone(tombstone, later)).toBe(true);
        expect(await due()).toEqual([]);
        expect(await jobs.writeTombstone(tombstone, null)).toBe(false);
        expect(await jobs.writeTombstone(later, null)).toBe(true);
        expect(await jobs.loadTombstone(job.id)).toBeNull();
        expect(await jobs.writeTombstone(later, later)).toBe(false);
      });
    });

    it.each(["nonsense", Buffer.from("000000000000001#nope").toString("base64url"), ""])(
      "refuses the cursor %j",
      async (cursor) => {
        await expect(jobs.list({ tenant: "t", status: null, cursor, limit: 3 })).rejects.toThrow(DomainError);
      },
    );
  });
}

jobsContract("in memory", async () => ({ jobs: memoryJobs(), stop: async () => undefined }));
jobsContract("on DynamoDB", async () => {
  const { client, name, stop } = await emulatedTable();
  return { jobs: dynamoJobs(client, name), stop };
});
