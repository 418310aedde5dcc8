import { isJobId } from "@plantain/core/id";
import { runAttempt, type WorkerPorts } from "@plantain/core/job/run-attempt";
import * as z from "zod";
import { runBatch } from "./batch.ts";
import { newRun, type Run } from "./caller.ts";
import type { Dice } from "./dice.ts";
import type { Lambda } from "./lambda.ts";
import { type MappingLimits, mapping } from "./mapping.ts";
import type { Queue, Received } from "./queue.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

const JobMessage = z.object({ jobId: z.string().refine(isJobId, "Not a job id") });

/** The ports of one run, and its message, each by way of the network. */
export type Equip = (run: Run, message: Received) => WorkerPorts & { delivered: Received["delivered"] };

/** The function that works on jobs, and what feeds it. */
export function workers(
  { timeline, trace, dice }: { timeline: Timeline; trace: Trace; dice: Dice },
  limits: MappingLimits,
  queue: Queue,
  lambda: Lambda,
  equip: Equip,
): void {
  mapping({ timeline, dice }, limits, queue, lambda, (process, batch, leftMs) =>
    runBatch({ process, trace }, batch, leftMs, JobMessage, async ({ jobId }, message) => {
      const run = newRun(process, jobId);
      const { delivered, ...ports } = equip(run, message);
      const { ended, fence } = await runAttempt(ports, jobId, delivered, leftMs);
      trace.note(
        process.name,
        `${message.id} ${jobId} ended ${ended}${fence === undefined ? "" : ` at fence ${fence}`}`,
      );
    }),
  );
}
