import type { Clock } from "@plantain/core/clock";
import type { Lane } from "@plantain/core/webhook/endpoint";
import type { DeliveryId } from "@plantain/core/webhook/ids";
import type { DeliveryQueue } from "@plantain/core/webhook/ports";

export type DeliveryMessage = { readonly id: DeliveryId; readonly lane: Lane; readonly visibleAt: number };

export type MemoryDeliveryQueue = DeliveryQueue & {
  /** Takes the next visible message for good; `null` when none is visible. */
  take(): DeliveryMessage | null;
  /** Messages that nobody took, visible or not. */
  readonly messages: readonly DeliveryMessage[];
};

/** What the `DeliveryQueue` port means, in memory. For tests. */
export function memoryDeliveryQueue(clock: Clock): MemoryDeliveryQueue {
  const messages: DeliveryMessage[] = [];
  return {
    messages,
    async send({ id }, lane, delayMs) {
      messages.push({ id, lane, visibleAt: clock.now() + delayMs });
    },
    take() {
      const at = messages.findIndex(({ visibleAt }) => visibleAt <= clock.now());
      return messages.splice(at, at < 0 ? 0 : 1)[0] ?? null;
    },
  };
}
