import { sweep } from "@plantain/core/job/sweep";
import { sweepDeliveries } from "@plantain/core/webhook/sweep-deliveries";
import type { Context } from "aws-lambda";
import { composeSweep } from "../runtime/compose-sweep.ts";

const { log, ...ports } = composeSweep(process.env);

export async function handler(_event: unknown, context: Context): Promise<void> {
  const startedAt = ports.clock.now();
  const leftMs = () => context.getRemainingTimeInMillis();
  const [ofJobs, ofDeliveries] = await Promise.all([sweep(ports, leftMs), sweepDeliveries(ports, leftMs)]);
  const ms = ports.clock.now() - startedAt;
  const { faults: _, ...jobs } = ofJobs;
  log.info("Swept jobs", { ...jobs, ms });
  log.info("Swept deliveries", { looked: ofDeliveries.looked, sent: ofDeliveries.sent, ms });
  for (const error of ofJobs.faults) log.error("Cannot sweep a job", { error });
  for (const error of ofDeliveries.faults) log.error("Cannot sweep a delivery", { error });
  const faults = [...ofJobs.faults, ...ofDeliveries.faults];
  if (faults.length > 0) throw new AggregateError(faults, `The sweep met ${faults.length} faults`);
}
