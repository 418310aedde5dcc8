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
import type { PendingDelivery } from "./delivery.ts";
import { changed, longestFailingMs, mostEndpoints, newSigner } from "./endpoint.ts";
import { type DeliveryId, deliveryId, jobEventId, webhookId } from "./ids.ts";
import type { Posted, Posting } from "./ports.ts";
import { mostTries } from "./schedule.ts";
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
    [answered(199), "rejected", 199],
    [answered(300), "redirected", 300],
    [answered(399), "redirected", 399],
    [answered(400), "rejected", 400],
    [answered(499), "rejected", 499],
    [answered(500), "server_error", 500],
    [timedOut, "timed_out", null],
  ])("is kept in the log: %j", async (answer, error, status) => {
    const { endpoint, ended, run, script, deliveries, clock } = world();
    const { id } = await endpoint();
    script.push(answer);
    const startedAt = clock.now();
    const job = await ended();
    await run(0);
    const record = await deliveries.read(deliveryId(jobEventId(job.id), id));
    expect(record?.tries).toMatchObject([{ number: 1, startedAt, error, status, isWhole: true }]);
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

/** A world with a delivery to an endpoint, whose message was taken. */
async function oneDelivery(about: Parameters<typeof sampleEndpoint>[0] = {}) {
  const w = world();
  const endpoint = await w.endpoint(about);
  const job = await w.ended();
  w.queue.take();
  const id = deliveryId(jobEventId(job.id), endpoint.id);
  return { ...w, job, id, to: endpoint };
}
type World = Pick<ReturnType<typeof world>, "deliveries">;

/** Has a delivery that waits come this far. */
async function becomes({ deliveries }: World, id: DeliveryId, about: Partial<PendingDelivery>) {
  const from = await deliveries.load(id);
  if (from?.status !== "pending") throw new Error("It waits");
  await deliveries.write(from, { ...from, ...about, version: from.version + 1 });
}
/** Its worker has died. */
async function dies({ deliveries }: World, id: DeliveryId, spent: number) {
  const from = await deliveries.load(id);
  if (from?.status !== "pending") throw new Error("It waits");
  const { nextTryAt: _, ...base } = from;
  const lease = { claimedAt: from.nextTryAt, leaseUntil: from.nextTryAt, fence: 1 };
  await deliveries.write(from, { ...base, ...lease, status: "delivering", spent, version: from.version + 1 });
}

describe("a message", () => {
  it("of a delivery that isn't there has done its duty", async () => {
    const { ports } = world();
    const id = deliveryId(jobEventId(sampleJob().id), "inline");
    expect(await deliver(ports, id, "fast")).toEqual({ ended: "absent" });
  });

  it("that comes again delivers nothing again", async () => {
    const { ports, id, posted } = await oneDelivery();
    await deliver(ports, id, "fast");
    expect(await deliver(ports, id, "fast")).toEqual({ ended: "over" });
    expect(posted).toHaveLength(1);
  });

  it("that comes while somebody is on it is left", async () => {
    const { ports, id } = await oneDelivery();
    const { send } = ports.sender;
    const meanwhile: unknown[] = [];
    Object.assign(ports.sender, {
      send: async (posting: Posting) => {
        meanwhile.push(await deliver(ports, id, "fast"));
        return send(posting);
      },
    });
    expect(await deliver(ports, id, "fast")).toMatchObject({ ended: "delivered" });
    expect(meanwhile).toEqual([{ ended: "leased" }]);
  });

  it("that comes a little early is waited for", async () => {
    const { ports, id, clock, deliveries, posted } = await oneDelivery();
    await becomes({ deliveries }, id, { nextTryAt: clock.now() + 1_000 });
    const delivering = deliver(ports, id, "fast");
    await clock.advance(999);
    expect(posted).toEqual([]);
    await clock.advance(1);
    expect(await delivering).toMatchObject({ ended: "delivered" });
  });

  it("that comes much too early is sent again for the right time, in its lane", async () => {
    const { ports, id, clock, deliveries, queue } = await oneDelivery();
    const nextTryAt = clock.now() + 1_001;
    await becomes({ deliveries }, id, { nextTryAt });
    expect(await deliver(ports, id, "slow")).toEqual({ ended: "not_due" });
    expect(queue.messages).toEqual([{ id, lane: "slow", visibleAt: nextTryAt }]);
  });

  it("is left to the sweep where none can wait for so long", async () => {
    const { ports, id, clock, deliveries, queue } = await oneDelivery();
    await becomes({ deliveries }, id, { nextTryAt: clock.now() + 900_001 });
    expect(await deliver(ports, id, "fast")).toEqual({ ended: "not_due" });
    expect(queue.messages).toEqual([]);
  });

  it("by the fast lane goes over to the slow one where its delivery has come there", async () => {
    const { ports, id, clock, deliveries, queue, posted } = await oneDelivery();
    await becomes({ deliveries }, id, { lane: "slow" });
    expect(await deliver(ports, id, "fast")).toEqual({ ended: "moved" });
    expect(queue.messages).toEqual([{ id, lane: "slow", visibleAt: clock.now() }]);
    expect(posted).toEqual([]);
  });

  it("of what is parked for good has done its duty", async () => {
    const { ports, id, endpoints, to } = await oneDelivery({ disabled: { at: 0, reason: "owner" } });
    expect(await deliver(ports, id, "fast")).toEqual({ ended: "parked" });
    await endpoints.remove(to);
    expect(await deliver(ports, id, "fast")).toEqual({ ended: "parked" });
  });
});

describe("the end of a try", () => {
  it.each([
    [answered(204), { ended: "delivered", number: 1, status: 204 }],
    [answered(404), { ended: "failed", number: 1, status: 404, error: "rejected" }],
    [timedOut, { ended: "failed", number: 1, error: "timed_out" }],
  ])("is told for the log: %j", async (answer, end) => {
    const { ports, id, script } = await oneDelivery();
    script.push(answer);
    expect(await deliver(ports, id, "fast")).toEqual(end);
  });

  it("is told as lost where another has made it meanwhile", async () => {
    const { ports, id, clock } = await oneDelivery();
    const { send } = ports.sender;
    Object.assign(ports.sender, {
      send: async () => {
        Object.assign(ports.sender, { send });
        await clock.advance(30_000);
        expect(await deliver(ports, id, "fast")).toMatchObject({ ended: "delivered", number: 2 });
        return answered(500);
      },
    });
    expect(await deliver(ports, id, "fast")).toMatchObject({ ended: "lease_lost", number: 1 });
  });

  it("leaves a long wait to the sweep", async () => {
    const { ports, id, deliveries, script, queue } = await oneDelivery();
    await becomes({ deliveries }, id, { spent: 2 });
    script.push(answered(500));
    expect(await deliver(ports, id, "fast")).toMatchObject({ ended: "failed" });
    expect(queue.messages).toEqual([]);
  });

  it("makes no other answer than a 429 or a 503 put off the next try", async () => {
    const { ports, id, script, run } = await oneDelivery();
    script.push(answered(500, "600"));
    await deliver(ports, id, "fast");
    expect(await run(8_000)).toEqual(["delivered"]);
  });
});

describe("a request", () => {
  it("is JSON, and says whose it is", async () => {
    const { ports, id, posted } = await oneDelivery();
    await deliver(ports, id, "fast");
    expect(posted[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "Plantain-Webhooks/1",
    });
  });

  it("is still sent where it ends just in time before the lease does", async () => {
    const { ports, id, clock } = await oneDelivery();
    const { render } = ports;
    Object.assign(ports, {
      render: async (...args: Parameters<typeof render>) => {
        await clock.advance(22_000);
        return render(...args);
      },
    });
    expect(await deliver(ports, id, "fast")).toMatchObject({ ended: "delivered" });
  });
});

describe("a delivery that has nowhere to go", () => {
  const orphaned = { ended: "orphaned" };
  const events: InlineWebhook["events"] = ["job.canceled"];
  const inline = async (secret: InlineWebhook["secret"]) => {
    const w = world();
    const job = await w.ended({ url: "https://own.example.com/", events, secret });
    return { ...w, id: deliveryId(jobEventId(job.id), "inline") };
  };

  it("is one whose job or event is gone", async () => {
    const jobless = await oneDelivery();
    Object.assign(jobless.ports.jobs, { read: async () => null });
    expect(await deliver(jobless.ports, jobless.id, "fast")).toEqual(orphaned);
    const eventless = await oneDelivery();
    Object.assign(eventless.deliveries, { loadEvent: async () => null });
    expect(await deliver(eventless.ports, eventless.id, "fast")).toEqual(orphaned);
  });

  it("is one to the URL of a job that has none", async () => {
    const { ports, id } = await inline(newSecret(seededRandom(6).bytes(32)));
    const { read } = ports.jobs;
    Object.assign(ports.jobs, {
      read: async (of: JobId) => {
        const record = await read(of);
        return record && { ...record, request: { ...record.request, webhook: null } };
      },
    });
    expect(await deliver(ports, id, "fast")).toEqual(orphaned);
  });

  it("is one that nothing signs for", async () => {
    const { ports, id, posted } = await inline(null);
    expect(await deliver(ports, id, "fast")).toEqual(orphaned);
    expect(posted).toEqual([]);
  });

  it("isn't one that its job's own secret signs for, though its tenant has none", async () => {
    const { ports, id, posted } = await inline(newSecret(seededRandom(6).bytes(32)));
    expect(await deliver(ports, id, "fast")).toMatchObject({ ended: "delivered" });
    expect(posted[0]?.headers["webhook-signature"]).toMatch(/^v1,[^ ]+$/);
  });

  it("is exhausted like any other when its last worker has died", async () => {
    const { ports, id, deliveries, posted } = await inline(newSecret(seededRandom(6).bytes(32)));
    await dies({ deliveries }, id, mostTries - 1);
    expect(await deliver(ports, id, "fast")).toEqual({ ended: "exhausted" });
    expect(posted).toEqual([]);
  });
});

describe("the slot at a slow endpoint", () => {
  const slow = { lane: "slow" } as const;
  const other = deliveryId(jobEventId(sampleJob().id), "inline");

  it("is left again by a delivery that is exhausted instead of tried", async () => {
    const { ports, id, deliveries, endpoints, to } = await oneDelivery(slow);
    await dies({ deliveries }, id, mostTries - 1);
    expect(await deliver(ports, id, "slow")).toEqual({ ended: "exhausted" });
    expect(await endpoints.load("acme", to.id)).toMatchObject({ slot: null, version: to.version + 2 });
  });

  it("is waited for with a message for the time of the next turn", async () => {
    const { ports, id, clock, deliveries, queue } = await oneDelivery({
      ...slow,
      slot: { delivery: other, until: Number.MAX_SAFE_INTEGER },
    });
    expect(await deliver(ports, id, "slow")).toEqual({ ended: "postponed" });
    const delivery = await deliveries.load(id);
    if (delivery?.status !== "pending") throw new Error("It waits");
    expect(delivery.nextTryAt).toBeGreaterThan(clock.now());
    expect(queue.messages).toEqual([{ id, lane: "slow", visibleAt: delivery.nextTryAt + 1_000 }]);
  });

  it("is another's where that was quicker, and nobody's where the endpoint is gone", async () => {
    for (const isGone of [false, true]) {
      const { ports, id, endpoints, to, posted } = await oneDelivery(slow);
      const current = { ...to, slot: { delivery: other, until: Number.MAX_SAFE_INTEGER }, version: 2 };
      const write = async () => ({ written: false, current: isGone ? null : current });
      Object.assign(endpoints, { write });
      expect(await deliver(ports, id, "slow")).toEqual({ ended: "postponed" });
      expect(posted).toEqual([]);
    }
  });

  it("is taken of the endpoint as it is, where somebody has only changed that", async () => {
    const { ports, id, endpoints, to } = await oneDelivery(slow);
    const { write } = endpoints;
    Object.assign(endpoints, {
      write: async (...asked: Parameters<typeof write>) => {
        Object.assign(endpoints, { write });
        await write(to, { ...to, description: "New", version: to.version + 1 });
        return write(...asked);
      },
    });
    expect(await deliver(ports, id, "slow")).toMatchObject({ ended: "delivered" });
    expect(await endpoints.load("acme", to.id)).toMatchObject({ description: "New", slot: null });
  });
});
