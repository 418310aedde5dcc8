import { manualClock } from "@plantain/memory/clock";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryDeliveryQueue } from "@plantain/memory/delivery-queue";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { samplePolicy } from "@plantain/memory/samples";
import { sampleEndpoint, sampleEvent } from "@plantain/memory/webhook-samples";
import { describe, expect, it } from "vitest";
import { type Delivery, type DeliveryBase, newDelivery } from "./delivery.ts";
import type { Endpoint } from "./endpoint.ts";
import { deliveryId } from "./ids.ts";
import { findDelivery, recover, redeliver, resume } from "./redeliver.ts";

const day = 24 * 3_600_000;
const plenty = () => 60_000;
const disabled = { at: 0, reason: "owner" } as const;

async function world(about: Partial<Endpoint> = {}) {
  const clock = manualClock();
  const deliveries = memoryDeliveries();
  const endpoints = memoryEndpoints(deliveries);
  const queue = memoryDeliveryQueue(clock);
  const ports = { deliveries, endpoints, deliveryQueue: queue, clock, policy: samplePolicy };
  const endpoint = sampleEndpoint(about);
  await endpoints.create(endpoint);
  const store = async (delivery: Delivery): Promise<Delivery> => {
    const event = { ...sampleEvent({ at: delivery.eventAt }), id: delivery.event };
    await deliveries.announce({ event, deliveries: [delivery] });
    return delivery;
  };
  const tried = (eventAt: number, to: Endpoint | "inline"): DeliveryBase => {
    const event = sampleEvent({ at: eventAt });
    const {
      status: _,
      nextTryAt: __,
      dueAt: ___,
      checks: ____,
      ...base
    } = newDelivery(event, to, samplePolicy);
    return { ...base, fence: 3, spent: 3 };
  };
  const exhausted = (at = clock.now(), to: Endpoint | "inline" = endpoint) =>
    store({ ...tried(at, to), status: "exhausted", reason: "schedule_spent", endedAt: at });
  const parked = (at = clock.now()) => store({ ...tried(at, endpoint), status: "parked", endedAt: at });
  const delivered = (at = clock.now()) => store({ ...tried(at, endpoint), status: "delivered", endedAt: at });
  const delivering = (at = clock.now()) => {
    const lease = { claimedAt: at, leaseUntil: at + 30_000, dueAt: at + 30_000, checks: 0 };
    return store({ ...tried(at, endpoint), status: "delivering", ...lease });
  };
  const statusOf = async ({ id }: Delivery) => (await deliveries.load(id))?.status;
  const stored = { exhausted, parked, delivered, delivering };
  return { clock, deliveries, endpoints, queue, ports, endpoint, ...stored, statusOf };
}

describe("a delivery that its tenant asks for", () => {
  it("is told with its event and its tries", async () => {
    const { ports, exhausted } = await world();
    const delivery = await exhausted();
    expect(await findDelivery(ports, "acme", delivery.id)).toMatchObject({
      delivery,
      event: { id: delivery.event },
      tries: [],
    });
  });

  it("isn't there for another tenant, once it is too old, or under an id that is none", async () => {
    const { ports, exhausted, clock } = await world();
    const { id, event } = await exhausted();
    const missing = { code: "delivery_not_found" };
    await expect(findDelivery(ports, "globex", id)).rejects.toMatchObject(missing);
    await expect(findDelivery(ports, "acme", "dlv_1")).rejects.toMatchObject(missing);
    await expect(findDelivery(ports, "acme", deliveryId(event, "inline"))).rejects.toMatchObject({
      code: "delivery_not_found",
      message: expect.stringContaining(deliveryId(event, "inline")),
    });
    await clock.advance(30 * day - 1);
    await expect(findDelivery(ports, "acme", id)).resolves.toMatchObject({ delivery: { id } });
    await clock.advance(1);
    await expect(findDelivery(ports, "acme", id)).rejects.toMatchObject(missing);
  });

  it("isn't looked up in the store under an id that is none", async () => {
    const { ports, deliveries, exhausted } = await world();
    const record = await deliveries.read((await exhausted()).id);
    Object.assign(deliveries, { read: async () => record });
    await expect(findDelivery(ports, "acme", "dlv_1")).rejects.toMatchObject({ code: "delivery_not_found" });
  });
});

describe("a delivery that is delivered again", () => {
  it("is due at once, with the whole schedule before it and a message in its lane", async () => {
    const { ports, queue, clock, exhausted, deliveries } = await world({ lane: "slow" });
    const delivery = await exhausted();
    const again = await redeliver(ports, "acme", delivery.id);
    expect(again).toMatchObject({ status: "pending", spent: 0, fence: 3, nextTryAt: clock.now() });
    expect(await deliveries.load(delivery.id)).toEqual(again);
    expect(queue.messages).toEqual([{ id: delivery.id, lane: "slow", visibleAt: clock.now() }]);
  });

  it("may have been delivered already", async () => {
    const { ports, delivered } = await world();
    const { id } = await delivered();
    expect(await redeliver(ports, "acme", id)).toMatchObject({ status: "pending" });
  });

  it("needs no endpoint where it goes to the URL of its job", async () => {
    const { ports, exhausted } = await world();
    const { id } = await exhausted(undefined, "inline");
    expect(await redeliver(ports, "acme", id)).toMatchObject({ status: "pending", destination: "inline" });
  });

  it("is left to the sweep where its message can't be sent", async () => {
    const { ports, queue, exhausted } = await world();
    Object.assign(queue, { send: () => Promise.reject(new Error("SQS is away")) });
    const { id } = await exhausted();
    expect(await redeliver(ports, "acme", id)).toMatchObject({ status: "pending" });
  });

  it("is refused while somebody is trying it", async () => {
    const { ports, delivering, queue } = await world();
    const { id } = await delivering();
    await expect(redeliver(ports, "acme", id)).rejects.toMatchObject({
      code: "delivery_in_progress",
      message: expect.stringContaining(id),
    });
    expect(queue.messages).toEqual([]);
  });

  it("is refused where its endpoint is gone or disabled", async () => {
    const { ports, endpoints, endpoint, exhausted, statusOf } = await world();
    const delivery = await exhausted();
    await endpoints.write(endpoint, { ...endpoint, disabled, version: 2 });
    await expect(redeliver(ports, "acme", delivery.id)).rejects.toMatchObject({
      code: "endpoint_disabled",
      message: expect.stringContaining(endpoint.id),
    });
    await endpoints.remove(endpoint);
    await expect(redeliver(ports, "acme", delivery.id)).rejects.toMatchObject({
      code: "endpoint_not_found",
      message: expect.stringContaining(endpoint.id),
    });
    expect(await statusOf(delivery)).toBe("exhausted");
  });

  it("isn't another tenant's", async () => {
    const { ports, exhausted } = await world();
    const { id } = await exhausted();
    await expect(redeliver(ports, "globex", id)).rejects.toMatchObject({ code: "delivery_not_found" });
  });
});

describe("what an endpoint has missed", () => {
  it("is delivered again where it is exhausted or parked, and what it got isn't", async () => {
    const { ports, endpoint, exhausted, parked, delivered, statusOf, queue } = await world();
    const [lost, waiting, got] = [await exhausted(), await parked(), await delivered()];
    expect(await recover(ports, endpoint, 0, plenty)).toEqual({ recovered: 2, isComplete: true });
    expect(await statusOf(lost)).toBe("pending");
    expect(await statusOf(waiting)).toBe("pending");
    expect(await statusOf(got)).toBe("delivered");
    expect(queue.messages).toHaveLength(2);
    expect(await recover(ports, endpoint, 0, plenty)).toEqual({ recovered: 0, isComplete: true });
  });

  it("counts from the time that was asked for, and no further back than it is kept", async () => {
    const { ports, endpoint, exhausted, clock, statusOf } = await world();
    const first = await exhausted();
    const second = await exhausted(clock.now() + 1);
    await clock.advance(30 * day);
    expect(await recover(ports, endpoint, 0, plenty)).toEqual({ recovered: 1, isComplete: true });
    expect(await statusOf(first), "it isn't there any more").toBe("exhausted");
    expect(await statusOf(second)).toBe("pending");
    const third = await exhausted();
    const since = clock.now() + 1;
    const fourth = await exhausted(since);
    expect(await recover(ports, endpoint, since, plenty)).toEqual({ recovered: 1, isComplete: true });
    expect(await statusOf(third)).toBe("exhausted");
    expect(await statusOf(fourth)).toBe("pending");
  });

  it("is of that endpoint alone", async () => {
    const { ports, endpoint, endpoints, exhausted, statusOf } = await world();
    const other = sampleEndpoint();
    await endpoints.create(other);
    const elsewhere = await exhausted(undefined, other);
    expect(await recover(ports, endpoint, 0, plenty)).toEqual({ recovered: 0, isComplete: true });
    expect(await statusOf(elsewhere)).toBe("exhausted");
  });

  it("isn't delivered while the endpoint is disabled", async () => {
    const { ports, endpoint, exhausted, statusOf } = await world({ disabled });
    const delivery = await exhausted();
    await expect(recover(ports, endpoint, 0, plenty)).rejects.toMatchObject({ code: "endpoint_disabled" });
    expect(await statusOf(delivery)).toBe("exhausted");
  });

  it("is all delivered, however many pages there are", async () => {
    const { ports, endpoint, exhausted, queue } = await world();
    for (let count = 0; count < 201; count += 1) await exhausted();
    expect(await recover(ports, endpoint, 0, plenty)).toEqual({ recovered: 201, isComplete: true });
    expect(queue.messages).toHaveLength(201);
  });

  it("is delivered for as long as there is time, and the same call again goes on", async () => {
    const { ports, endpoint, exhausted } = await world();
    for (let count = 0; count < 150; count += 1) await exhausted();
    let looks = 0;
    const short = () => (looks++ < 3 ? 1 : 0);
    expect(await recover(ports, endpoint, 0, short)).toEqual({ recovered: 60, isComplete: false });
    expect(await recover(ports, endpoint, 0, plenty)).toEqual({ recovered: 90, isComplete: true });
  });

  it("isn't complete where time ended between two pages, and is where it ended after the last", async () => {
    const { ports, endpoint, delivered } = await world();
    for (let count = 0; count < 101; count += 1) await delivered();
    const none = () => 0;
    expect(await recover(ports, endpoint, 0, none)).toEqual({ recovered: 0, isComplete: false });
    const { ports: few, endpoint: other, delivered: got } = await world();
    await got();
    expect(await recover(few, other, 0, none)).toEqual({ recovered: 0, isComplete: true });
  });

  it("isn't counted where somebody else was quicker", async () => {
    const { ports, endpoint, exhausted, delivering } = await world();
    await exhausted();
    const busy = await delivering();
    const { ofDestination } = ports.deliveries;
    Object.assign(ports.deliveries, {
      ofDestination: async (query: Parameters<typeof ofDestination>[0]) => {
        const page = await ofDestination(query);
        const stale = page.deliveries.map((each) =>
          each.id === busy.id ? { ...each, status: "exhausted", version: 0 } : each,
        );
        return { ...page, deliveries: stale };
      },
    });
    expect(await recover(ports, endpoint, 0, plenty)).toEqual({ recovered: 1, isComplete: true });
  });
});

describe("what is parked at an endpoint that is enabled again", () => {
  it("is sent on its way, and nothing else is", async () => {
    const { ports, endpoint, exhausted, parked, statusOf } = await world();
    const [lost, waiting] = [await exhausted(), await parked()];
    expect(await resume(ports, endpoint, plenty)).toEqual({ recovered: 1, isComplete: true });
    expect(await statusOf(waiting)).toBe("pending");
    expect(await statusOf(lost)).toBe("exhausted");
  });

  it("isn't sent twice where it goes out by another call at the same time", async () => {
    const { ports, endpoint, parked, queue } = await world();
    await parked();
    const both = await Promise.all([resume(ports, endpoint, plenty), resume(ports, endpoint, plenty)]);
    expect(both.reduce((sum, { recovered }) => sum + recovered, 0)).toBe(1);
    expect(queue.messages).toHaveLength(1);
  });
});
