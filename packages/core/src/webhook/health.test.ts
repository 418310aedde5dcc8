import { manualClock, seededRandom } from "@plantain/memory/clock";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryDeliveryQueue } from "@plantain/memory/delivery-queue";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { samplePolicy } from "@plantain/memory/samples";
import { sampleEndpoint, samplePending } from "@plantain/memory/webhook-samples";
import { describe, expect, it } from "vitest";
import { longestFailingMs } from "./endpoint.ts";
import { health } from "./health.ts";
import type { Endpoints } from "./ports.ts";

const { id: delivery } = samplePending();
const disabled = { at: 0, reason: "owner" } as const;

function world() {
  const clock = manualClock();
  const deliveries = memoryDeliveries();
  const endpoints = memoryEndpoints(deliveries);
  const queue = memoryDeliveryQueue(clock);
  const ports = { endpoints, deliveryQueue: queue, clock, random: seededRandom(), policy: samplePolicy };
  const endpoint = async (about: Parameters<typeof sampleEndpoint>[0] = {}) => {
    const made = sampleEndpoint(about);
    await endpoints.create(made);
    return made;
  };
  const failed = { at: clock.now(), ms: 20, outcome: "failed" } as const;
  const gone = { at: clock.now(), ms: 20, outcome: "gone" } as const;
  const taken = { at: clock.now(), ms: 20, outcome: "taken" } as const;
  const watching = { events: ["endpoint.disabled"] } as const;
  return { clock, deliveries, endpoints, queue, ports, endpoint, failed, gone, taken, watching };
}

describe("how a try ended", () => {
  it("is noted at its endpoint, and frees the slot of its delivery", async () => {
    const { ports, endpoint, endpoints, failed, clock } = world();
    const made = await endpoint({ slot: { delivery, until: clock.now() + 9 } });
    await health(ports, made, delivery, failed);
    expect(await endpoints.load("acme", made.id)).toMatchObject({ failingSince: clock.now(), slot: null });
  });

  it("is noted of what is there, where somebody was quicker", async () => {
    const { ports, endpoint, endpoints, failed, clock } = world();
    const made = await endpoint();
    const { load } = endpoints;
    const quicker: Endpoints["load"] = async (...args) => {
      const loaded = await load(...args);
      Object.assign(endpoints, { load });
      if (loaded) await endpoints.write(loaded, { ...loaded, description: "New", version: 2 });
      return loaded;
    };
    Object.assign(endpoints, { load: quicker });
    await health(ports, made, delivery, failed);
    expect(await endpoints.load("acme", made.id)).toMatchObject({
      description: "New",
      failingSince: clock.now(),
    });
  });

  it("isn't written where it changes nothing, nor where the endpoint is gone", async () => {
    const { ports, endpoint, endpoints, taken, failed } = world();
    const made = await endpoint();
    await health(ports, made, delivery, taken);
    expect(await endpoints.load("acme", made.id)).toEqual(made);
    await endpoints.remove(made);
    await health(ports, made, delivery, failed);
    expect(await endpoints.list("acme")).toEqual([]);
  });
});

describe("an endpoint that a try disables", () => {
  it("is told of to the tenant's others that want to hear of it, but not to itself or to disabled ones", async () => {
    const { ports, endpoint, gone, watching, queue, deliveries, clock } = world();
    const made = await endpoint({ ...watching, failingSince: 5 });
    const other = await endpoint(watching);
    await endpoint({ ...watching, disabled });
    await endpoint();
    await endpoint({ ...watching, tenant: "globex" });
    await health(ports, made, delivery, gone);
    expect(queue.messages).toHaveLength(1);
    const [message] = queue.messages;
    const told = message && (await deliveries.read(message.id));
    expect(told?.delivery).toMatchObject({ destination: other.id, tenant: "acme", status: "pending" });
    expect(told?.event).toMatchObject({
      type: "endpoint.disabled",
      tenant: "acme",
      at: clock.now(),
      endpoint: made.id,
      reason: "gone",
      failingSince: 5,
    });
  });

  it("is told of once", async () => {
    const { ports, endpoint, endpoints, failed, watching, queue, clock } = world();
    const made = await endpoint({ failingSince: clock.now() - longestFailingMs });
    await endpoint(watching);
    await health(ports, made, delivery, failed);
    expect(queue.messages).toHaveLength(1);
    await health(ports, made, delivery, { ...failed, ms: 3_000 });
    expect((await endpoints.load("acme", made.id))?.lane, "which is noted").toBe("slow");
    expect(queue.messages).toHaveLength(1);
  });

  it("is not told of where it only failed", async () => {
    const { ports, endpoint, failed, watching, queue } = world();
    await endpoint(watching);
    await health(ports, await endpoint(), delivery, failed);
    expect(queue.messages).toEqual([]);
  });

  it("is disabled all the same where nobody wants to hear of it, or the message can't be sent", async () => {
    const { ports, endpoint, endpoints, gone, watching, queue } = world();
    const [one, two] = [await endpoint(), await endpoint()];
    await health(ports, one, delivery, gone);
    expect(await endpoints.load("acme", one.id)).toMatchObject({ disabled: { reason: "gone" } });
    await endpoint(watching);
    Object.assign(queue, { send: () => Promise.reject(new Error("SQS is away")) });
    await health(ports, two, delivery, gone);
    expect(await endpoints.load("acme", two.id)).toMatchObject({ disabled: { reason: "gone" } });
  });
});
