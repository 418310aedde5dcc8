import { manualClock } from "@plantain/memory/clock";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryDeliveryQueue } from "@plantain/memory/delivery-queue";
import { samplePolicy } from "@plantain/memory/samples";
import { sampleDelivering, sampleEvent, samplePending } from "@plantain/memory/webhook-samples";
import { describe, expect, it } from "vitest";
import type { Delivery } from "./delivery.ts";
import { sweepDeliveries } from "./sweep-deliveries.ts";

const plenty = () => 60_000;

function world() {
  const clock = manualClock();
  const deliveries = memoryDeliveries();
  const queue = memoryDeliveryQueue(clock);
  const ports = { deliveries, deliveryQueue: queue, clock, policy: samplePolicy };
  const store = async (delivery: Delivery) => {
    await deliveries.announce({
      event: { ...sampleEvent(), id: delivery.event },
      deliveries: [delivery],
    });
    return delivery;
  };
  /** Deliveries that the same look finds, all of one event and so of one shard. */
  const storeMany = async (count: number) => {
    const { event, ...first } = samplePending({ dueAt: clock.now() });
    const many = Array.from({ length: count }, (_, at) => ({
      ...first,
      event,
      id: `${first.id}${at}` as const,
    }));
    await deliveries.announce({ event: { ...sampleEvent(), id: event }, deliveries: many });
    return many;
  };
  return { clock, deliveries, queue, ports, store, storeMany };
}

describe("the sweep of deliveries", () => {
  it("sends a message for what is due, in its lane, once its next look is written", async () => {
    const { ports, store, queue, clock, deliveries } = world();
    const { id } = await store(samplePending({ dueAt: clock.now(), lane: "slow" }));
    expect(await sweepDeliveries(ports, plenty)).toEqual({ looked: 1, sent: 1, faults: [] });
    expect(queue.messages).toEqual([{ id, lane: "slow", visibleAt: clock.now() }]);
    expect(await deliveries.load(id)).toMatchObject({ dueAt: clock.now() + 60_000, checks: 1 });
  });

  it("leaves alone what isn't due yet", async () => {
    const { ports, store, queue, clock } = world();
    await store(samplePending({ dueAt: clock.now() + 1 }));
    expect(await sweepDeliveries(ports, plenty)).toEqual({ looked: 0, sent: 0, faults: [] });
    expect(queue.messages).toEqual([]);
  });

  it("sends what has to wait as long as it has to, and nothing where that is longer than a message can", async () => {
    const { ports, store, queue, clock } = world();
    const now = clock.now();
    const soon = await store(samplePending({ dueAt: now, nextTryAt: now + 7 }));
    await store(samplePending({ dueAt: now, nextTryAt: now + 900_001 }));
    expect(await sweepDeliveries(ports, plenty)).toMatchObject({ looked: 2, sent: 1 });
    expect(queue.messages).toMatchObject([{ id: soon.id, visibleAt: now + 7 }]);
  });

  it("sends for a try whose lease ran out, and not while somebody is on it", async () => {
    const { ports, store, queue, clock, deliveries } = world();
    const dueAt = clock.now();
    const lost = await store(sampleDelivering({ dueAt, leaseUntil: dueAt }));
    const busy = await store(sampleDelivering({ dueAt, leaseUntil: dueAt + 9 }));
    expect(await sweepDeliveries(ports, plenty)).toEqual({ looked: 2, sent: 1, faults: [] });
    expect(queue.messages).toMatchObject([{ id: lost.id }]);
    expect(await deliveries.load(busy.id), "it looks again when the lease is over").toMatchObject({
      dueAt: dueAt + 9,
    });
  });

  it("sends nothing for what somebody else saw to since it was found", async () => {
    const { ports, store, queue, clock, deliveries } = world();
    const delivery = await store(samplePending({ dueAt: clock.now() }));
    const { load } = deliveries;
    Object.assign(deliveries, { load: async () => ({ ...delivery, dueAt: clock.now() + 1 }) });
    expect(await sweepDeliveries(ports, plenty)).toEqual({ looked: 1, sent: 0, faults: [] });
    Object.assign(deliveries, { load: async () => null });
    expect(await sweepDeliveries(ports, plenty)).toEqual({ looked: 0, sent: 0, faults: [] });
    expect(queue.messages).toEqual([]);
    expect(await load(delivery.id)).toEqual(delivery);
  });

  it("looks at each once, though the index still has it as due", async () => {
    const { ports, storeMany, deliveries, queue } = world();
    const many = await storeMany(3);
    const { due } = deliveries;
    const first = new Map<number, Awaited<ReturnType<typeof due>>>();
    Object.assign(deliveries, {
      due: async (...[shard, at, limit]: Parameters<typeof due>) => {
        const found = first.get(shard) ?? (await due(shard, at, limit));
        first.set(shard, found);
        return found;
      },
    });
    expect(await sweepDeliveries(ports, plenty)).toEqual({
      looked: many.length,
      sent: many.length,
      faults: [],
    });
    expect(queue.messages).toHaveLength(many.length);
  });

  it("goes on until nothing is due, however much there is", async () => {
    const { ports, storeMany } = world();
    await storeMany(250);
    expect(await sweepDeliveries(ports, plenty)).toEqual({ looked: 250, sent: 250, faults: [] });
  });

  it("ends in time: it begins no more of them once only ten seconds are left", async () => {
    const { ports, storeMany } = world();
    await storeMany(25);
    expect(await sweepDeliveries(ports, () => 10_000)).toEqual({ looked: 0, sent: 0, faults: [] });
    let sent = 0;
    const { send } = ports.deliveryQueue;
    Object.assign(ports.deliveryQueue, {
      send: async (...args: Parameters<typeof send>) => {
        sent += 1;
        await send(...args);
      },
    });
    expect(await sweepDeliveries(ports, () => (sent < 10 ? 10_001 : 10_000))).toMatchObject({ looked: 10 });
    expect(await sweepDeliveries(ports, plenty)).toMatchObject({ looked: 15 });
  });

  it("tells what goes wrong with one, and goes on with the others", async () => {
    const { ports, storeMany, deliveries } = world();
    const [bad] = await storeMany(3);
    const { load } = deliveries;
    const broken = new Error("It can't be read");
    Object.assign(deliveries, {
      load: async (id: Parameters<typeof load>[0]) => {
        if (id === bad?.id) throw broken;
        return load(id);
      },
    });
    expect(await sweepDeliveries(ports, plenty)).toEqual({ looked: 2, sent: 2, faults: [broken] });
  });

  it("tells of each shard that it can't look at", async () => {
    const { ports, store, clock, deliveries } = world();
    await store(samplePending({ dueAt: clock.now() }));
    const { due } = deliveries;
    const broken = new Error("Throttled");
    Object.assign(deliveries, {
      due: async (...[shard, at, limit]: Parameters<typeof due>) => {
        const found = await due(shard, at, limit);
        if (found.length === 0) throw broken;
        return found;
      },
    });
    const { looked, sent, faults } = await sweepDeliveries(ports, plenty);
    expect({ looked, sent }).toEqual({ looked: 1, sent: 1 });
    expect(new Set(faults)).toEqual(new Set([broken]));
  });
});
