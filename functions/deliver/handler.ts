import { deliver } from "@plantain/core/webhook/deliver";
import { isDeliveryId } from "@plantain/core/webhook/ids";
import * as z from "zod";
import { composeDeliver } from "../runtime/compose-deliver.ts";
import { sqsBatch } from "../runtime/sqs-batch.ts";

const DeliveryMessage = z.object({
  deliveryId: z.string().refine(isDeliveryId, "Not a delivery id"),
  lane: z.enum(["fast", "slow"]),
});

const { log, ...ports } = composeDeliver(process.env);

export const handler = sqsBatch(
  DeliveryMessage,
  async ({ deliveryId, lane }, { messageId }) => {
    const startedAt = ports.clock.now();
    const { ended, number, status, error } = await deliver(ports, deliveryId, lane);
    log.info("Delivery tried", {
      messageId,
      deliveryId,
      lane,
      ended,
      ms: ports.clock.now() - startedAt,
      ...(number === undefined ? {} : { fence: number }),
      ...(status === undefined ? {} : { status }),
      ...(error === undefined ? {} : { failureCode: error }),
    });
  },
  log,
);
