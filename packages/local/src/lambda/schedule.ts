import { randomUUID } from "node:crypto";
import type { ScheduleSpec } from "../template/triggers.ts";
import type { FunctionPool } from "./pool.ts";

/**
 * Runs a function at once and again at every tick. A tick is left out while the one before still runs.
 * @returns ends the ticking; a run in flight goes on
 */
export function startSchedule({
  schedule,
  everyMs,
  pool,
}: {
  schedule: ScheduleSpec;
  everyMs: number;
  pool: FunctionPool;
}): () => void {
  let running = false;
  const tick = async () => {
    if (running) return;
    running = true;
    await pool.invoke(scheduledEvent(schedule, new Date()));
    running = false;
  };
  void tick();
  const timer = setInterval(() => void tick(), everyMs);
  return () => clearInterval(timer);
}

function scheduledEvent({ input, source, arn }: ScheduleSpec, now: Date): unknown {
  if (input !== undefined) return JSON.parse(input);
  const [, , , region, account] = arn.split(":");
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source,
    account,
    time: now.toISOString().replace(/\.\d+Z$/, "Z"),
    region,
    resources: [arn],
    detail: source === "aws.scheduler" ? "{}" : {},
  };
}
