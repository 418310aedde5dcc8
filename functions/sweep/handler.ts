import { sweep } from "@plantain/core/job/sweep";
import type { Context } from "aws-lambda";
import { composeSweep } from "../runtime/compose.ts";

const { log, ...ports } = composeSweep(process.env);

export async function handler(_event: unknown, context: Context): Promise<void> {
  const startedAt = ports.clock.now();
  const { faults, ...counts } = await sweep(ports, () => context.getRemainingTimeInMillis());
  log.info("Swept", { ...counts, ms: ports.clock.now() - startedAt });
  for (const error of faults) log.error("Cannot sweep a job", { error });
  if (faults.length > 0) throw new AggregateError(faults, `The sweep met ${faults.length} faults`);
}
