import { manualClock, seededRandom } from "@plantain/memory/clock";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryDeliveryQueue } from "@plantain/memory/delivery-queue";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { sampleEndpoint } from "@plantain/memory/webhook-samples";
import { describe, expect, it } from "vitest";
import type { JobId } from "../id.ts";
import { cancel } from "../job/cancel.ts";
import type { InlineWebhook } from "../job/request.ts";
import { announcing } from "./announce.ts";
import { changeEndpoint } from "./change-endpoint.ts";
import { type DeliverPorts, deliver } from "./deliver.ts";
import { changed, longestFailingMs, mostEndpoints, newSigner } from "./endpoint.ts";
import { deliveryId, jobEventId, webhookId } from "./ids.ts";
import type { Posted, Posting } from "./ports.ts";
import { newSecret, signatures } from "./signature.ts";
import { sweepDeliveries } from "./sweep-deliveries.ts";

const answered = (status: number, retryAfter: string | null = null): Posted => ({
  type: "answered",
  status,
  retryAfter,
  body: new TextEncoder().encode("thanks"),
  isWhole: true,
  ms: 20,
});
const timedOut: Posted = { type: "failed", code: "timed_out", message: "It didn't answer", ms: 3_000 };

function world() {
  const clock = manualClock();
  const random = seededRandom();
  const deliveries = memoryDeliveries();
  const endpoints = memoryEndpoints(deliveries);
  const queue = memoryDeliveryQueue(clock);
  const posted: Posting[] = [];
  const script: Posted[] = [];
  const unsent: unknown[] = [];
  const announce = { endpoints, deliveryQueue: queue, policy: samplePolicy };
  const jobs = announcing(memoryJobs(deliveries), announce, (error) => unsent.push(error));
  const ports: DeliverPorts = {
    ...announce,
    deliveries,
    jobs,
    clock,
    random,
    sender: {
      async send(posting) {
        posted.push(posting);
        return script.shift() ?? answered(200);
      },
    },
    render: async ({ type }, record) => JSON.stringify({ type, data: record?.job.id }),
  };
  const endpoint = async (about: Parameters<typeof sampleEndpoint>[0] = {}) => {
    const made = sampleEndpoint({ events: ["job.canceled"], ...about });
    await endpoints.create(made);
    return made;
  };
  /** A job that is over, with its event. */
  const ended = async (webhook: InlineWebhook | null = null) => {
    const job = sampleJob({ createdAt: clock.now(), notifies: webhook?.events ?? [] });
    await jobs.create(job, sampleRequest({ webhook }), null, clock.now());
    await cancel({ jobs, clock, policy: samplePolicy }, job.tenant, job.id);
    return job;
  };
  /** Delivers what messages there are, as they become visible, for so long. */
  const run = async (ms: number) => {
    const until = clock.now() + ms;
    const ends = [];
    for (;;) {
      for (let message = queue.take(); message; message = queue.take()) {
        ends.push((await deliver(ports, message.id, message.lane)).ended);
      }
      if (clock.now() >= until) return ends;
      await clock.advance(Math.min(1_000, until - clock.now()));
    }
  };
  const sweep = () => sweepDeliveries(ports, () => 60_000);
  return { clock, ports, deliveries, endpoints, queue, posted, script, unsent, endpoint, ended, run, sweep };
}

describe("a job's end", () => {
  it("is told to each endpoint that wants to hear of it, and to no other", async () => {
    const { endpoint, ended, run, posted, deliveries } = world();
    const one = await endpoint();
    const two = await endpoint({ url: "https://two.example.com/" });
    await endpoint({ events: ["job.succeeded", "job.failed"] });
    await endpoint({ tenant: "globex" });
    const job = await ended();
    expect(await run(0)).toEqual(["delivered", "delivered"]);
    expect(posted.map(({ url }) => url).sort()).toEqual([one.url, two.url].sort());
    const of = await deliveries.ofEvent(jobEventId(job.id));
    expect(of.map(({ status }) => status)).toEqual(["delivered", "delivered"]);
  });

  it("is signed under one webhook-id for each endpoint, with the time of the try", async () => {
    const { endpoint, ended, run, posted, script, clock } = world();
    const { id, secrets, signingKeys } = await endpoint();
    script.push(answered(500));
    const job = await ended();
    await run(10_000);
    expect(posted).toHaveLength(2);
    expect(new Set(posted.map(({ headers }) => headers["webhook-id"]))).toEqual(
      new Set([webhookId(jobEventId(job.id), id)]),
    );
    const [first, second] = posted.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(4);
    const { body = "", headers = {} } = posted[0] ?? {};
    expect(headers["webhook-signature"]).toBe(
      signatures({
        id: webhookId(jobEventId(job.id), id),
        timestampSeconds: first ?? 0,
        body,
        secrets: secrets.map(({ secret }) => secret),
        signingKeys: signingKeys.map(({ key }) => key),
      }),
    );
    expect(clock.now() / 1_000).toBeGreaterThan(second ?? 0);
  });

  it("is told to the job's own URL, signed by its own secret or the tenant's", async () => {
    const { ended, run, posted, endpoints, clock } = world();
    const signer = newSigner("acme", clock.now(), seededRandom(4));
    await endpoints.writeSigner(null, signer);
    const secret = newSecret(seededRandom(6).bytes(32));
    const events: InlineWebhook["events"] = ["job.canceled"];
    await ended({ url: "https://own.example.com/", events, secret });
    await ended({ url: "https://tenants.example.com/", events, secret: null });
    await ended({ url: "https://other.example.com/", events: ["job.failed"], secret: null });
    expect(await run(0)).toEqual(["delivered", "delivered"]);
    for (const [at, secrets] of [[secret], signer.secrets.map((each) => each.secret)].entries()) {
      const { body = "", headers = {} } = posted[at] ?? {};
      expect(headers["webhook-signature"]).toBe(
        signatures({
          id: headers["webhook-id"] ?? "",
          timestampSeconds: Number(headers["webhook-timestamp"]),
          body,
          secrets,
          signingKeys: signer.signingKeys.map(({ key }) => key),
        }),
      );
    }
  });

  it("can be written however many endpoints there are: as many hear of it as there may be", async () => {
    const { endpoints, ended, run } = world();
    const many = Array.from({ length: 120 }, () => sampleEndpoint({ events: ["job.canceled"] }));
    Object.assign(endpoints, {
      list: async () => many,
      load: async (_: string, id: string) => many.find((each) => each.id === id),
    });
    await ended();
    expect(await run(0)).toHaveLength(mostEndpoints);
  });

  it("costs nothing where nobody wants to hear of it", async () => {
    const { ended, deliveries, queue } = world();
    const job = await ended();
    expect(await deliveries.loadEvent(jobEventId(job.id))).toBeNull();
    expect(queue.messages).toEqual([]);
  });

  it("is told all the same when its message can't be sent or is lost: the sweep finds it", async () => {
    const { endpoint, ended, run, clock, sweep, queue, unsent, ports } = world();
    await endpoint();
    const send = ports.deliveryQueue.send;
    Object.assign(queue, { send: () => Promise.reject(new Error("SQS is away")) });
    await ended();
    expect(unsent).toHaveLength(1);
    Object.assign(queue, { send });
    await clock.advance(samplePolicy.arrivalMs);
    expect(await sweep()).toMatchObject({ looked: 1, sent: 1, faults: [] });
    expect(await run(0)).toEqual(["delivered"]);
  });
});

describe("a try", () => {
  it.each([
    [answered(200), null, 200],
    [answered(299), null, 299],
    [answered(301), "redirected", 301],
    [answered(404), "rejected", 404],
    [answered(503), "server_error", 503],
    [timedOut, "timed_out", null],
  ])("is kept in the log: %j", async (answer, error, status) => {
    const { endpoint, ended, run, script, deliveries, clock } = world();
    const { id } = await endpoint();
    script.push(answer);
    const startedAt = clock.now();
    const job = await ended();
    await run(0);
    const record = await deliveries.read(deliveryId(jobEventId(job.id), id));
    expect(record?.tries).toMatchObject([{ number: 1, startedAt, error, status }]);
    expect(record?.delivery.status).toBe(error === null ? "delivered" : "pending");
    if (answer.type === "answered") expect(record?.tries[0]?.answer).toBe("thanks");
  });

  it("is made once, however many messages name it at once", async () => {
    const { endpoint, ended, posted, ports } = world();
    const { id } = await endpoint();
    const job = await ended();
    const name = deliveryId(jobEventId(job.id), id);
    const ends = await Promise.all([1, 2, 3].map(() => deliver(ports, name, "fast")));
    expect(posted).toHaveLength(1);
    expect(ends.map(({ ended: end }) => end).filter((end) => end === "delivered")).toHaveLength(1);
  });

  it("is not made by whoever froze since he claimed it, under a lease that another may have by now", async () => {
    const { endpoint, ended, run, posted, ports, clock } = world();
    await endpoint();
    const { render } = ports;
    Object.assign(ports, {
      render: async (...args: Parameters<typeof render>) => {
        await clock.advance(26_000);
        return render(...args);
      },
    });
    await ended();
    expect(await run(0)).toEqual(["lease_lost"]);
    expect(posted).toEqual([]);
  });

  it("comes again by the schedule until it is taken, over hours and by way of the sweep", async () => {
    const { endpoint, ended, run, script, posted, sweep, deliveries, clock } = world();
    const { id } = await endpoint();
    script.push(...Array.from({ length: 5 }, () => answered(500)));
    const job = await ended();
    for (let minutes = 0; minutes < 20 * 60; minutes += 1) {
      await run(0);
      await clock.advance(60_000);
      await sweep();
    }
    const record = await deliveries.read(deliveryId(jobEventId(job.id), id));
    expect(record?.delivery.status).toBe("delivered");
    expect(posted).toHaveLength(6);
    const starts = record?.tries.map(({ startedAt }) => startedAt) ?? [];
    const hours = starts.map((at) => (at - (starts[0] ?? 0)) / 3_600_000);
    expect(hours[5]).toBeGreaterThan(0.8 * 7.5);
    expect(hours[5]).toBeLessThan(1.25 * 7.7);
  });

  it("is put off as long as a 503 asks, within bounds, and no other answer is asked", async () => {
    const { endpoint, ended, run, script, posted } = world();
    await endpoint();
    script.push(answered(503, "9"), answered(200));
    await ended();
    await run(8_900);
    expect(posted).toHaveLength(1);
    await run(3_000);
    expect(posted).toHaveLength(2);
  });

  it("is not made where its endpoint is gone", async () => {
    const { endpoint, ended, run, endpoints, deliveries } = world();
    const made = await endpoint();
    const job = await ended();
    await endpoints.remove(made);
    expect(await run(0)).toEqual(["orphaned"]);
    expect(await deliveries.load(deliveryId(jobEventId(job.id), made.id))).toMatchObject({
      status: "exhausted",
      reason: "no_destination",
    });
  });
});

describe("an endpoint that doesn't want any more", () => {
  it("is disabled by its 410, and what comes after is parked", async () => {
    const { endpoint, ended, run, script, endpoints, deliveries } = world();
    const { id } = await endpoint();
    script.push(answered(410));
    await ended();
    expect(await run(0)).toEqual(["failed"]);
    expect((await endpoints.load("acme", id))?.disabled?.reason).toBe("gone");
    const later = await ended();
    expect(await run(0)).toEqual(["parked"]);
    expect((await deliveries.load(deliveryId(jobEventId(later.id), id)))?.status).toBe("parked");
  });

  it("is disabled after five days of only failures, and the tenant's others hear of it", async () => {
    const { endpoint, ended, run, script, endpoints, clock, posted } = world();
    const failing = await endpoint({ failingSince: clock.now() - longestFailingMs });
    const watching = await endpoint({ events: ["endpoint.disabled"], url: "https://watch.example.com/" });
    script.push(answered(500));
    await ended();
    expect(await run(0)).toEqual(["failed", "delivered"]);
    expect((await endpoints.load("acme", failing.id))?.disabled?.reason).toBe("failing");
    expect(posted.at(-1)).toMatchObject({
      url: watching.url,
      body: expect.stringContaining("endpoint.disabled"),
    });
  });

  it("gets nothing that was under way when its owner disabled it", async () => {
    const { endpoint, ended, run, endpoints, clock, posted } = world();
    const made = await endpoint();
    await ended();
    await endpoints.write(made, {
      ...made,
      disabled: { at: clock.now(), reason: "owner" },
      version: made.version + 1,
    });
    expect(await run(0)).toEqual(["parked"]);
    expect(posted).toEqual([]);
  });
});

describe("nothing stays parked at an endpoint that is enabled", () => {
  const disabled = { at: 0, reason: "owner" } as const;
  async function disabledWorld() {
    const all = world();
    const { ports, endpoint, deliveries } = all;
    const { id, tenant } = await endpoint({ disabled });
    const enable = async () => {
      await changeEndpoint(ports, tenant, id, { enabled: true }, () => 60_000);
    };
    const statusOf = async (job: { id: JobId }) =>
      (await deliveries.load(deliveryId(jobEventId(job.id), id)))?.status;
    return { ...all, enable, statusOf };
  }

  it("though that was enabled after a delivery looked at it and before it was parked", async () => {
    const { deliveries, ended, run, enable, statusOf } = await disabledWorld();
    const { write } = deliveries;
    Object.assign(deliveries, {
      write: async (...[from, to, about]: Parameters<typeof write>) => {
        if (to.status === "parked") await enable();
        return write(from, to, about);
      },
    });
    const job = await ended();
    expect(await run(0)).toEqual(["delivered"]);
    expect(await statusOf(job)).toBe("delivered");
  });

  it("though that was enabled after a job's end looked at it and before it was announced", async () => {
    const { endpoints, ended, run, enable, statusOf } = await disabledWorld();
    const { list } = endpoints;
    Object.assign(endpoints, {
      list: async (tenant: string) => {
        const listed = await list(tenant);
        await enable();
        return listed;
      },
    });
    const job = await ended();
    await run(0);
    expect(await statusOf(job)).toBe("delivered");
  });

  it("though whoever parked it died before he looked again: its message comes back", async () => {
    const { ports, endpoints, deliveries, endpoint, ended, run } = world();
    const made = await endpoint({ disabled });
    const job = await ended();
    await run(0);
    await endpoints.write(made, changed(made, { enabled: true }, 0));
    const id = deliveryId(jobEventId(job.id), made.id);
    expect((await deliveries.load(id))?.status).toBe("parked");
    expect((await deliver(ports, id, "fast")).ended).toBe("delivered");
  });
});

describe("an endpoint that hangs", () => {
  it("gets its next try in the slow lane with more time, and one at a time", async () => {
    const { endpoint, ended, run, script, endpoints, posted, ports, queue } = world();
    const { id } = await endpoint();
    script.push(timedOut);
    await ended();
    await run(0);
    expect(posted[0]?.timeoutMs).toBe(3_000);
    expect((await endpoints.load("acme", id))?.lane).toBe("slow");
    expect(queue.messages.map(({ lane }) => lane)).toEqual(["slow"]);

    const [second, third] = [await ended(), await ended()];
    const hanging = Promise.withResolvers<Posted>();
    Object.assign(ports.sender, {
      send: (posting: Posting) => {
        posted.push(posting);
        return hanging.promise;
      },
    });
    const busy = deliver(ports, deliveryId(jobEventId(second.id), id), "slow");
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect((await deliver(ports, deliveryId(jobEventId(third.id), id), "slow")).ended).toBe("postponed");
    expect(posted.at(-1)?.timeoutMs).toBe(15_000);
    hanging.resolve(answered(200));
    expect((await busy).ended).toBe("delivered");
    expect(await endpoints.load("acme", id)).toMatchObject({ lane: "fast", slot: null });
  });

  it("is tried under a whole lease, however long it took to get its slot", async () => {
    const { endpoint, ended, run, endpoints, clock, posted } = world();
    await endpoint({ lane: "slow" });
    const { write } = endpoints;
    Object.assign(endpoints, {
      write: async (...args: Parameters<typeof write>) => {
        await clock.advance(26_000);
        return write(...args);
      },
    });
    await ended();
    expect(await run(0)).toEqual(["delivered"]);
    expect(posted).toHaveLength(1);
  });

  it("is moved out of the fast lane without a try", async () => {
    const { endpoint, ended, run, posted, endpoints, ports, queue } = world();
    const made = await endpoint();
    const job = await ended();
    await endpoints.write(made, { ...made, lane: "slow", version: made.version + 1 });
    queue.take();
    expect((await deliver(ports, deliveryId(jobEventId(job.id), made.id), "fast")).ended).toBe("moved");
    expect(posted).toEqual([]);
    expect(await run(0)).toEqual(["delivered"]);
  });
});
