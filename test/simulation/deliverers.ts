import { type DeliverPorts, deliver } from "@plantain/core/webhook/deliver";
import { isDeliveryId } from "@plantain/core/webhook/ids";
import * as z from "zod";
import { runBatch } from "./batch.ts";
import type { Dice } from "./dice.ts";
import type { Lambda } from "./lambda.ts";
import { mapping } from "./mapping.ts";
import type { Process } from "./process.ts";
import type { Queue } from "./queue.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

const DeliveryMessage = z.object({
  deliveryId: z.string().refine(isDeliveryId, "Not a delivery id"),
  lane: z.enum(["fast", "slow"]),
});

const limits = { batchSize: 5, maxConcurrency: 3, visibilityMs: 360_000 };

/** The function that makes deliveries, and the lane that feeds it. */
export function deliverers(
  { timeline, trace, dice }: { timeline: Timeline; trace: Trace; dice: Dice },
  queue: Queue,
  lambda: Lambda,
  equip: (process: Process) => DeliverPorts,
): void {
  mapping({ timeline, dice }, limits, queue, lambda, (process, batch, leftMs) =>
    runBatch({ process, trace }, batch, leftMs, DeliveryMessage, async ({ deliveryId, lane }, { id }) => {
      const { ended } = await deliver(equip(process), deliveryId, lane);
      trace.note(process.name, `${id} ${deliveryId} ended ${ended}`);
    }),
  );
}
