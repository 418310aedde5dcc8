import { setTimeout as sleep } from "node:timers/promises";
import type { Draw } from "./random.ts";

/** How long the model works, in milliseconds: lognormal around the median; `sigma` 0 makes every call the same. */
export type Latency = { medianMs: number; sigma: number };

/** Short and constant, so that tests stay quick. */
export const quick: Latency = { medianMs: 3, sigma: 0 };

/** One latency in whole milliseconds, capped at the ten minutes after which Google gives up. */
export function sampleLatency(latency: Latency, draw: Draw): number {
  // Box–Muller; 1 - draw() keeps the logarithm finite.
  const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  return Math.min(600_000, Math.round(latency.medianMs * Math.exp(latency.sigma * normal)));
}

/** Waits; returns false when `stopping` fires first. */
export async function pause(ms: number, stopping: AbortSignal): Promise<boolean> {
  if (stopping.aborted) return false;
  try {
    await sleep(ms, undefined, { signal: stopping });
    return true;
  } catch (error) {
    if (stopping.aborted) return false;
    throw error;
  }
}
