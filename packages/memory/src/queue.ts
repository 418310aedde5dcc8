import type { Clock } from "@plantain/core/clock";
import type { JobId } from "@plantain/core/id";
import type { Delivered, JobQueue } from "@plantain/core/job/ports";

type Message = { jobId: JobId; tenant: string; visibleAt: number };

export type MemoryQueue = JobQueue & {
  /** The next visible message, hidden for `hiddenMs`; `null` when none is visible. */
  receive(hiddenMs: number): { jobId: JobId; message: Delivered } | null;
  /** Messages that are neither acknowledged nor lost, visible or not. */
  readonly size: number;
};

/** What the `JobQueue` port means, in memory: at-least-once, hidden while somebody works on it. For tests. */
export function memoryQueue(clock: Clock): MemoryQueue {
  const messages = new Set<Message>();
  return {
    async send({ id, tenant }, delayMs) {
      messages.add({ jobId: id, tenant, visibleAt: clock.now() + delayMs });
    },
    receive(hiddenMs) {
      const next = [...messages]
        .filter(({ visibleAt }) => visibleAt <= clock.now())
        .sort((a, b) => a.visibleAt - b.visibleAt)[0];
      if (!next) return null;
      next.visibleAt = clock.now() + hiddenMs;
      return {
        jobId: next.jobId,
        message: {
          async extend(ms) {
            next.visibleAt = clock.now() + ms;
          },
          async ack() {
            messages.delete(next);
          },
        },
      };
    },
    get size() {
      return messages.size;
    },
  };
}
