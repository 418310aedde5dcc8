import type { Policy } from "../job/policy.ts";
import { advanceDelivery } from "./advance-delivery.ts";
import type { Delivery, DeliveryFact, DeliveryRefusal, Try } from "./delivery.ts";
import type { Deliveries } from "./ports.ts";

/** The delivery as written, or why the fact didn't apply together with the delivery as it stands (`null`: it is gone). */
export type DeliveryTransition =
  | { readonly delivery: Delivery; readonly refused?: undefined }
  | { readonly refused: DeliveryRefusal["refused"] | "absent"; readonly delivery: Delivery | null };

/** Applies a fact to a stored delivery; whoever was quicker is heard and decided on again. */
export async function transitionDelivery(
  deliveries: Deliveries,
  delivery: Delivery,
  fact: DeliveryFact,
  policy: Pick<Policy, "arrivalMs">,
  ended?: Try,
): Promise<DeliveryTransition> {
  let from = delivery;
  for (;;) {
    const to = advanceDelivery(from, fact, policy);
    if ("refused" in to) return { refused: to.refused, delivery: from };
    const written = await deliveries.write(from, to, ended);
    if (written.written) return { delivery: to };
    if (written.current === null) return { refused: "absent", delivery: null };
    from = written.current;
  }
}
