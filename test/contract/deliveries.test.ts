import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { dynamoDeliveries } from "@plantain/aws/dynamo-deliveries";
import { dynamoJobs } from "@plantain/aws/dynamo-jobs";
import { tableKey } from "@plantain/aws/table";
import { shardOf } from "@plantain/core/id";
import { dueShards, type Jobs } from "@plantain/core/job/ports";
import { advanceDelivery } from "@plantain/core/webhook/advance-delivery";
import {
  type Announcement,
  type Delivery,
  type DeliveryFact,
  newDelivery,
  type Try,
} from "@plantain/core/webhook/delivery";
import type { WebhookEvent } from "@plantain/core/webhook/event";
import { deliveryId, jobEventId, newEventId } from "@plantain/core/webhook/ids";
import type { Deliveries } from "@plantain/core/webhook/ports";
import { seededRandom } from "@plantain/memory/clock";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { sampleEndpoint, sampleEvent } from "@plantain/memory/webhook-samples";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emulatedTable } from "./emulators.ts";

const now = Date.UTC(2026, 10, 1);
const random = seededRandom(3);

function next(delivery: Delivery, fact: DeliveryFact): Delivery {
  const to = advanceDelivery(delivery, fact, samplePolicy);
  if ("refused" in to) throw new Error(`Refused: ${to.refused}`);
  return to;
}

const ended: Try = {
  number: 1,
  startedAt: now,
  ms: 12,
  status: 500,
  error: "server_error",
  message: null,
  answer: "Oh no \u0000 \ufffd",
  isWhole: true,
};

type Stores = { deliveries: Deliveries; jobs: Jobs; stop(): Promise<void> };

/** What every implementation of the `Deliveries` port does, and of `Jobs` with it. */
function deliveriesContract(name: string, start: () => Promise<Stores>) {
  describe(`Deliveries, ${name}`, () => {
    let deliveries: Deliveries;
    let jobs: Jobs;
    let stop: () => Promise<void>;
    beforeAll(async () => ({ deliveries, jobs, stop } = await start()));
    afterAll(() => stop());

    const announced = async (endpoint = sampleEndpoint(), event: WebhookEvent = sampleEvent()) => {
      const delivery = newDelivery(event, endpoint, samplePolicy);
      await deliveries.announce({ event, deliveries: [delivery] });
      return { event, delivery, endpoint };
    };
    const claimed = async () => {
      const { delivery } = await announced();
      const to = next(delivery, { type: "claimed", at: now });
      expect(await deliveries.write(delivery, to)).toEqual({ written: true });
      return to;
    };

    it("has nothing where nothing was announced", async () => {
      const id = deliveryId(newEventId(now, random.bytes(10)), sampleEndpoint().id);
      expect(await deliveries.load(id)).toBeNull();
      expect(await deliveries.read(id)).toBeNull();
    });

    it("gives back every kind of event with its deliveries", async () => {
      const endpoint = sampleEndpoint();
      const base = { tenant: "acme", at: now };
      const events: WebhookEvent[] = [
        sampleEvent({ type: "job.canceled" }),
        { ...base, id: newEventId(now, random.bytes(10)), type: "ping", endpoint: endpoint.id },
        {
          ...base,
          id: newEventId(now, random.bytes(10)),
          type: "endpoint.disabled",
          endpoint: endpoint.id,
          reason: "failing",
          failingSince: now - 5,
        },
      ];
      for (const event of events) {
        const inline = newDelivery(event, "inline", samplePolicy);
        const registered = newDelivery(event, endpoint, samplePolicy);
        await deliveries.announce({ event, deliveries: [registered, inline] });
        expect(await deliveries.loadEvent(event.id)).toEqual(event);
        expect(await deliveries.read(inline.id)).toEqual({ delivery: inline, event, tries: [] });
        const of = await deliveries.ofEvent(event.id);
        expect(of.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
          [registered, inline].sort((a, b) => (a.id < b.id ? -1 : 1)),
        );
      }
    });

    it("announces an event once, and leaves what has become of its deliveries", async () => {
      const { event, delivery } = await announced();
      const to = next(delivery, { type: "claimed", at: now });
      await deliveries.write(delivery, to);
      await deliveries.announce({ event, deliveries: [delivery] });
      expect(await deliveries.load(delivery.id)).toEqual(to);
    });

    it("writes only on the version that it follows, and says what is there instead", async () => {
      const { delivery } = await announced();
      const to = next(delivery, { type: "claimed", at: now });
      expect(await deliveries.write(delivery, to)).toEqual({ written: true });
      const late = next(delivery, { type: "parked", at: now });
      expect(await deliveries.write(delivery, late)).toEqual({ written: false, current: to });
      const absent = newDelivery(sampleEvent(), sampleEndpoint(), samplePolicy);
      expect(await deliveries.write(absent, absent)).toEqual({ written: false, current: null });
    });

    it("keeps each try with the write that ends it, and none of a write that lost", async () => {
      const from = await claimed();
      const failed = next(from, {
        type: "failed",
        at: now,
        fence: 1,
        timedOut: false,
        gone: false,
        retryAfterMs: null,
        random: 0.5,
      });
      expect(await deliveries.write(from, failed, ended)).toEqual({ written: true });
      const again = { ...ended, number: 2 };
      expect(await deliveries.write(from, failed, again)).toMatchObject({ written: false });
      const claimedAgain = next(failed, { type: "claimed", at: now + 10_000 });
      await deliveries.write(failed, claimedAgain);
      const delivered = next(claimedAgain, { type: "delivered", at: now + 10_001, fence: 2 });
      await deliveries.write(claimedAgain, delivered, { ...again, status: 204, error: null });
      expect(await deliveries.read(from.id)).toMatchObject({
        delivery: delivered,
        tries: [ended, { ...again, status: 204, error: null }],
      });
    });

    it("gives back every status as it was written", async () => {
      const pending = (await announced()).delivery;
      const delivering = next(pending, { type: "claimed", at: now });
      for (const to of [
        delivering,
        next(delivering, { type: "delivered", at: now, fence: 1 }),
        next(pending, { type: "orphaned", at: now }),
        next(pending, { type: "parked", at: now }),
        next(pending, { type: "postponed", at: now, random: 0.3 }),
      ]) {
        const { delivery } = await announced();
        const own = { ...to, id: delivery.id, event: delivery.event, destination: delivery.destination };
        await deliveries.write(delivery, own);
        expect(await deliveries.load(delivery.id)).toEqual(own);
      }
    });

    it("lists what is due, earliest first, and nothing that rests", async () => {
      const event = sampleEvent();
      const early = newDelivery({ ...event, at: now - 5 }, "inline", samplePolicy);
      const late = newDelivery(event, sampleEndpoint(), samplePolicy);
      const parked = next(newDelivery(event, sampleEndpoint(), samplePolicy), { type: "parked", at: now });
      await deliveries.announce({ event, deliveries: [late, early, parked] });
      const shard = shardOf(event.id, dueShards);
      const dueAt = (at: number) =>
        deliveries
          .due(shard, at, 1_000)
          .then((due) => due.map(({ id }) => id).filter((id) => [early.id, late.id, parked.id].includes(id)));
      expect(await dueAt(now + samplePolicy.arrivalMs)).toEqual([early.id, late.id]);
      expect(await dueAt(now + samplePolicy.arrivalMs - 5)).toEqual([early.id]);
      await deliveries.write(early, next(early, { type: "parked", at: now }));
      expect(await dueAt(now + samplePolicy.arrivalMs)).toEqual([late.id]);
    });

    it("lists an endpoint's deliveries from the newest event on, page by page and since a time", async () => {
      const endpoint = sampleEndpoint();
      const made = [];
      for (const later of [0, 10, 20, 30]) {
        made.push((await announced(endpoint, sampleEvent({ at: now + later }))).delivery);
      }
      await announced(); // somebody else's
      const query = { tenant: "acme", destination: endpoint.id, since: now + 10, cursor: null, limit: 2 };
      const first = await deliveries.ofDestination(query);
      expect(first.deliveries).toEqual([made[3], made[2]]);
      const second = await deliveries.ofDestination({ ...query, cursor: first.next });
      expect(second.deliveries).toEqual([made[1]]);
      expect(second.next).toBeNull();
      expect(
        await deliveries.ofDestination({ ...query, since: now + 25, cursor: first.next }),
        "the list begins later than the page before ended",
      ).toEqual({ deliveries: [], next: null });
      await expect(deliveries.ofDestination({ ...query, cursor: "nonsense" })).rejects.toMatchObject({
        code: "invalid_cursor",
      });
    });

    it("keeps the tenants' deliveries to their jobs' own URLs apart", async () => {
      const tenant = `t${Math.random()}`;
      const event = sampleEvent({ tenant });
      const delivery = newDelivery(event, "inline", samplePolicy);
      await deliveries.announce({ event, deliveries: [delivery] });
      const query = { destination: "inline", since: 0, cursor: null, limit: 10 } as const;
      expect((await deliveries.ofDestination({ ...query, tenant })).deliveries).toEqual([delivery]);
      expect((await deliveries.ofDestination({ ...query, tenant: `${tenant}x` })).deliveries).toEqual([]);
    });

    it("has an event from the very write on that ended its job, and none of a write that lost", async () => {
      const job = sampleJob();
      await jobs.create(job, sampleRequest(), null, now);
      const { runAfter: _, held: __, dueAt: ___, checks: ____, ...base } = job;
      const to = { ...base, status: "canceled", finishedAt: now, version: 2 } as const;
      const event = { ...sampleEvent({ type: "job.canceled" }), id: jobEventId(job.id), jobId: job.id };
      const announcement = { event, deliveries: [newDelivery(event, "inline", samplePolicy)] };
      expect(await jobs.write({ ...job, version: 9 }, to, { announcement })).toMatchObject({
        written: false,
      });
      expect(await deliveries.loadEvent(event.id)).toBeNull();
      expect(await jobs.write(job, to, { announcement })).toEqual({ written: true });
      expect(await deliveries.loadEvent(event.id)).toEqual(event);
      expect(await deliveries.ofEvent(event.id)).toEqual(announcement.deliveries);
    });

    it("shows up in no list of jobs, due or otherwise", async () => {
      const tenant = `t${Math.random()}`;
      const event = sampleEvent({ tenant });
      await deliveries.announce({ event, deliveries: [newDelivery(event, "inline", samplePolicy)] });
      const page = await jobs.list({ tenant, status: null, cursor: null, limit: 10 });
      expect(page.jobs).toEqual([]);
      const due = await jobs.due(shardOf(event.id, dueShards), now + 1e9, 1_000);
      expect(due.filter(({ id }) => id === event.jobId)).toEqual([]);
    });
  });
}

deliveriesContract("in memory", async () => {
  const deliveries = memoryDeliveries();
  return { deliveries, jobs: memoryJobs(deliveries), stop: async () => undefined };
});
deliveriesContract("on DynamoDB", async () => {
  const { client, name, stop } = await emulatedTable();
  return { deliveries: dynamoDeliveries(client, name), jobs: dynamoJobs(client, name), stop };
});

describe("What DynamoDB holds of an event", () => {
  let table: Awaited<ReturnType<typeof emulatedTable>>;
  beforeAll(async () => {
    table = await emulatedTable();
  });
  afterAll(() => table.stop());
  const day = 86_400_000;

  it.each([
    [
      "announced by itself",
      async ({ client, name }: typeof table, announcement: Announcement) =>
        dynamoDeliveries(client, name).announce(announcement),
    ],
    [
      "announced with the end of its job",
      async ({ client, name }: typeof table, announcement: Announcement) => {
        const jobs = dynamoJobs(client, name);
        const job = sampleJob();
        await jobs.create(job, sampleRequest(), null, now);
        const { runAfter: _, held: __, dueAt: ___, checks: ____, ...base } = job;
        await jobs.write(job, { ...base, status: "canceled", finishedAt: now, version: 2 }, { announcement });
      },
    ],
  ])("goes away 35 days after it, %s, and later writes leave it at that", async (_, announce) => {
    const event = sampleEvent({ at: now + 1 });
    const delivery = newDelivery(event, sampleEndpoint(), samplePolicy);
    await announce(table, { event, deliveries: [delivery] });
    const deliveries = dynamoDeliveries(table.client, table.name);
    const claimed = next(delivery, { type: "claimed", at: now + 2 * day });
    await deliveries.write(delivery, claimed);
    const delivered = next(claimed, { type: "delivered", at: now + 2 * day, fence: 1 });
    await deliveries.write(claimed, delivered, ended);
    await deliveries.write(delivered, next(delivered, { type: "redelivered", at: now + 20 * day }));

    const { Items = [] } = await table.client.send(
      new QueryCommand({
        TableName: table.name,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": `EVT#${event.id}` },
      }),
    );
    expect(Items.map(({ sk }) => String(sk).split("#")[0])).toEqual(["DLV", "DLV", "EVENT"]);
    for (const item of Items)
      expect(item[tableKey.expiry], String(item.sk)).toBe((now + 35 * day) / 1_000 + 1);
  });
});
