import { describe, expect, it } from "vitest";
import { forgottenAt, isKept } from "./delivery.ts";
import { mostTries, nextTurnMs, nextWaitMs, retryAfterMs } from "./schedule.ts";

const hour = 3_600_000;

describe("the schedule", () => {
  it("makes ten tries in 75.6 hours", () => {
    const waits = Array.from({ length: mostTries - 1 }, (_, at) => nextWaitMs(at + 1, null, 0.5) ?? 0);
    expect(waits.map((ms) => ms / 1_000)).toEqual([
      5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ]);
    expect(waits.reduce((sum, ms) => sum + ms, 0) / hour).toBeCloseTo(75.58, 1);
    expect(nextWaitMs(mostTries, null, 0.5)).toBeNull();
  });

  it("ends, however long its waits come out, before the store forgets what is delivered again at the last moment", () => {
    const waits = Array.from({ length: mostTries - 1 }, (_, at) => nextWaitMs(at + 1, 1e9, 0.999_999) ?? 0);
    const all = waits.reduce((sum, ms) => sum + ms, 0);
    const at = 1e12;
    const lastMoment = at + 30 * 24 * hour;
    expect(isKept({ eventAt: at }, lastMoment - 1)).toBe(true);
    expect(isKept({ eventAt: at }, lastMoment)).toBe(false);
    expect(forgottenAt(at) - lastMoment).toBeGreaterThan(all + 24 * hour);
  });

  it("spreads each wait by a fifth to both sides", () => {
    expect(nextWaitMs(2, null, 0)).toBe(240_000);
    expect(nextWaitMs(2, null, 0.999_999)).toBe(360_000);
  });

  it.each([
    ["is obeyed beyond the schedule", 2, 450_000, 450_000],
    ["is obeyed up to twice the schedule", 2, 10 * hour, 600_000],
    ["doesn't bring a try forward", 2, 1_000, 300_000],
    ["is obeyed up to an hour", 3, 2 * hour, hour],
    ["doesn't shorten a wait of hours", 5, 60_000, 5 * hour],
  ])("a Retry-After %s", (_, spent, asked, wait) => {
    expect(nextWaitMs(spent, asked, 0.5)).toBe(wait);
  });

  it("reads a Retry-After in seconds or as a date", () => {
    const at = Date.UTC(2026, 10, 1);
    expect(retryAfterMs("120", at)).toBe(120_000);
    expect(retryAfterMs("Sun, 01 Nov 2026 00:01:00 GMT", at)).toBe(60_000);
    expect(retryAfterMs("Sun, 01 Nov 2020 00:01:00 GMT", at)).toBe(0);
    expect(retryAfterMs("2026-11-01T00:01:00Z", at)).toBe(60_000);
    expect(retryAfterMs("01 Nov 2026 00:01:00 +0000", at)).toBe(60_000);
    expect(retryAfterMs("soon", at)).toBeNull();
    expect(retryAfterMs(null, at)).toBeNull();
  });

  it("lets those in line at a slow endpoint ask ever more rarely", () => {
    expect([0, 1, 2, 30].map((postponed) => nextTurnMs(postponed, 0))).toEqual([
      7_500, 15_000, 30_000, 300_000,
    ]);
    expect(nextTurnMs(30, 0.999_999)).toBe(600_000);
  });
});
