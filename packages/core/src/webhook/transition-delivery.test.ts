import { memoryDeliveries } from "@plantain/memory/deliveries";
import { samplePolicy } from "@plantain/memory/samples";
import { sampleEvent, samplePending } from "@plantain/memory/webhook-samples";
import { describe, expect, it } from "vitest";
import type { PendingDelivery, Try } from "./delivery.ts";
import { transitionDelivery } from "./transition-delivery.ts";

const now = Date.UTC(2026, 10, 1);
const claimed = { type: "claimed", at: now } as const;
const line: Try = {
  number: 1,
  startedAt: now,
  ms: 20,
  status: 200,
  error: null,
  message: null,
  answer: "thanks",
  isWhole: true,
};

async function stored(delivery: PendingDelivery = samplePending()) {
  const deliveries = memoryDeliveries();
  await deliveries.announce({ event: { ...sampleEvent(), id: delivery.event }, deliveries: [delivery] });
  return { deliveries, delivery };
}

describe("a transition of a delivery", () => {
  it("is written, and gives the delivery as it is now", async () => {
    const { deliveries, delivery } = await stored();
    const came = await transitionDelivery(deliveries, delivery, claimed, samplePolicy);
    expect(came.refused).toBeUndefined();
    expect(came.delivery).toMatchObject({ status: "delivering", fence: 1, version: 2 });
    expect(await deliveries.load(delivery.id)).toEqual(came.delivery);
  });

  it("that doesn't apply says why, tells the delivery as it stands, and writes nothing", async () => {
    const { deliveries, delivery } = await stored(samplePending({ nextTryAt: now + 1 }));
    const came = await transitionDelivery(deliveries, delivery, claimed, samplePolicy);
    expect(came).toEqual({ refused: "not_due", delivery });
    expect(await deliveries.load(delivery.id)).toEqual(delivery);
  });

  it("is decided on again where somebody was quicker", async () => {
    const { deliveries, delivery } = await stored();
    const first = await transitionDelivery(deliveries, delivery, claimed, samplePolicy);
    const late = await transitionDelivery(deliveries, delivery, claimed, samplePolicy);
    expect(late).toEqual({ refused: "leased", delivery: first.delivery });
    const parked = { type: "parked", at: now + 30_000 } as const;
    const came = await transitionDelivery(deliveries, delivery, parked, samplePolicy);
    expect(came.delivery).toMatchObject({ status: "parked", fence: 1, version: 3 });
    expect(await deliveries.load(delivery.id)).toEqual(came.delivery);
  });

  it("of a delivery that is gone is refused", async () => {
    const came = await transitionDelivery(memoryDeliveries(), samplePending(), claimed, samplePolicy);
    expect(came).toEqual({ refused: "absent", delivery: null });
  });

  it("puts the try that ended with it into the log, and none where it doesn't apply", async () => {
    const { deliveries, delivery } = await stored();
    const delivered = { type: "delivered", at: now + 20, fence: 1 } as const;
    const early = await transitionDelivery(deliveries, delivery, delivered, samplePolicy, line);
    expect(early.refused).toBe("lease_lost");
    expect((await deliveries.read(delivery.id))?.tries).toEqual([]);
    const { delivery: delivering } = await transitionDelivery(deliveries, delivery, claimed, samplePolicy);
    if (!delivering) throw new Error("It was claimed");
    await transitionDelivery(deliveries, delivering, delivered, samplePolicy, line);
    expect(await deliveries.read(delivery.id)).toMatchObject({
      delivery: { status: "delivered" },
      tries: [line],
    });
  });
});
