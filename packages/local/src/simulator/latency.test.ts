import { describe, expect, it } from "vitest";
import { pause, sampleLatency } from "./latency.ts";
import { drawsFrom } from "./random.ts";

describe("latency", () => {
  it("is lognormal around its median", () => {
    const draw = drawsFrom("latency");
    const samples = Array.from({ length: 4000 }, () =>
      sampleLatency({ medianMs: 1000, sigma: 0.5 }, draw),
    ).sort((a, b) => a - b);
    const at = (share: number) => samples[Math.floor(samples.length * share)] ?? 0;
    expect(at(0.5)).toBeGreaterThan(950);
    expect(at(0.5)).toBeLessThan(1050);
    // One sigma above the median is a factor of e^0.5.
    expect(at(0.8413) / at(0.5)).toBeCloseTo(Math.exp(0.5), 0.8);
  });

  it("is the median without spread", () => {
    expect(sampleLatency({ medianMs: 7, sigma: 0 }, drawsFrom("x"))).toBe(7);
  });

  it("ends early when the simulator stops", async () => {
    const stopping = new AbortController();
    const pending = pause(60_000, stopping.signal);
    stopping.abort();
    expect(await pending).toBe(false);
    expect(await pause(1, stopping.signal)).toBe(false);
    expect(await pause(1, new AbortController().signal)).toBe(true);
  });
});
