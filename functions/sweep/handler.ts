import { sweep } from "@plantain/core/job/sweep";
import type { Context } from "aws-lambda";
import { composeSweep } from "../runtime/compose.ts";

const { log, ...ports } = composeSweep(process.env);

export async function handler(_event: unknown, context: Context): Promise<void> {
  const startedAt = ports.clock.now();
  const swept = await sweep(ports, () => context.getRemainingTimeInMillis());
  log.info("Swept", { ...swept, ms: ports.clock.now() - startedAt });
}
