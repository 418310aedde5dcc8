import { describe, expect, it } from "vitest";
import type { Failure, FailureCode } from "../job/failure.ts";
import { type Gate, type Heard, hear, newGate, width } from "./gate.ts";

const now = Date.UTC(2026, 10, 1);
const ceiling = 40;
const bounds = { ceiling, longestClosureMs: 900_000 };

const failure = (code: FailureCode, retryAfterMs?: number): Failure => ({
  code,
  message: "…",
  billed: "no",
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const call = (about: Partial<Heard> = {}): Heard => ({
  startedAt: now,
  answeredAt: now + 20_000,
  failure: null,
  ...about,
});
const full = (gate: Gate, ...calls: Heard[]) =>
  calls.reduce((before, each) => hear(before, each, bounds, true), gate);
const gate = (about: Partial<Gate> = {}): Gate => ({ ...newGate(ceiling), ...about });

describe("a gate", () => {
  it("that nothing is known of lets ten through, or as many as there may be", () => {
    expect(width(newGate(ceiling), ceiling, now)).toBe(10);
    expect(width(newGate(3), 3, now)).toBe(3);
  });

  it("counts whole calls, and never more than its ceiling, though that was lowered", () => {
    expect(width(gate({ limit: 5.9 }), ceiling, now)).toBe(5);
    expect(width(gate({ limit: 30 }), 7, now)).toBe(7);
  });

  it("lets nothing through until its time has come", () => {
    const closed = gate({ limit: 4, closedUntil: now });
    expect(width(closed, ceiling, now - 1)).toBe(0);
    expect(width(closed, ceiling, now)).toBe(4);
  });
});

describe("success", () => {
  it("opens it by one for each answer up to what it once bore, then by one for each round", () => {
    expect(full(gate({ limit: 4, threshold: 6 }), call()).limit).toBe(5);
    expect(full(gate({ limit: 6, threshold: 6 }), call()).limit).toBeCloseTo(6 + 1 / 6);
    expect(full(gate({ limit: ceiling - 0.01, threshold: ceiling }), call()).limit).toBe(ceiling);
  });

  it("teaches nothing while the gate isn't what bounds the calls", () => {
    expect(hear(gate({ limit: 4 }), call(), bounds, false).limit).toBe(4);
  });

  it("is also an answer without a picture: the model works", () => {
    const refused = call({ failure: failure("content_blocked.prompt") });
    expect(full(gate({ limit: 4, strikes: 2, closedBy: "rate_limited" }), refused)).toMatchObject({
      limit: 5,
      strikes: 0,
      closedBy: null,
      usualMs: null,
      recentMs: null,
    });
  });

  it("without a picture says nothing of how long pictures take", () => {
    const refused = call({ failure: failure("no_image"), answeredAt: now + 1 });
    expect(full(gate({ usualMs: 9_000, recentMs: 8_000 }), refused)).toMatchObject({
      usualMs: 9_000,
      recentMs: 8_000,
    });
  });

  it("of a call that began before the gate was closed opens nothing", () => {
    const closed = full(gate(), call({ failure: failure("rate_limited"), answeredAt: now + 100 }));
    expect(full(closed, call())).toEqual(closed);
    expect(full(closed, call({ startedAt: now + 100 }))).toEqual(closed);
    expect(full(closed, call({ startedAt: now + 101 }))).toMatchObject({
      limit: 2,
      closedUntil: 0,
      closedBy: null,
      strikes: 0,
    });
  });
});

describe("a refusal that holds for everybody", () => {
  it.each<[FailureCode, number]>([
    ["rate_limited", 2_000],
    ["quota_exhausted", 300_000],
    ["billing", 60_000],
    ["provider_configuration", 60_000],
  ])("%s closes it for %d ms, and then one call goes to see", (code, ms) => {
    const closed = full(gate({ limit: 20 }), call({ failure: failure(code), answeredAt: now + 1 }));
    expect(closed).toMatchObject({ closedUntil: now + 1 + ms, closedBy: code, strikes: 1, limit: 1 });
    expect(width(closed, ceiling, now + ms)).toBe(0);
    expect(width(closed, ceiling, now + 1 + ms)).toBe(1);
  });

  it("closes it for as long as Gemini asks", () => {
    const closed = full(gate(), call({ failure: failure("rate_limited", 47_000), answeredAt: now }));
    expect(closed.closedUntil).toBe(now + 47_000);
  });

  it("is looked at again after the longest closure that the deployment wants, whatever Gemini says", () => {
    const impatient = { ceiling, longestClosureMs: 1_000 };
    const first = hear(gate(), call({ failure: failure("billing"), answeredAt: now }), impatient, true);
    expect(first.closedUntil).toBe(now + 1_000);
    const asked = call({ failure: failure("rate_limited", 90_000), answeredAt: now + 500 });
    expect(hear(first, asked, impatient, true).closedUntil).toBe(now + 1_500);
  });

  it("closes it for longer each time that the probe is refused", () => {
    let closed = gate();
    for (const ms of [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      const at = closed.closedUntil + 1;
      closed = full(closed, call({ startedAt: at, answeredAt: at, failure: failure("rate_limited") }));
      expect(closed.closedUntil - at).toBe(ms);
    }
  });

  it("counts once for all calls that were under way, but for the longest time that one of them is asked to wait", () => {
    const one = full(gate({ limit: 16 }), call({ failure: failure("rate_limited"), answeredAt: now + 100 }));
    const other = full(one, call({ failure: failure("rate_limited"), answeredAt: now + 200 }));
    expect(other).toEqual(one);
    const patient = full(one, call({ failure: failure("rate_limited", 40_000), answeredAt: now + 200 }));
    expect(patient).toEqual({ ...one, closedUntil: now + 40_200 });
    expect(full(patient, call({ failure: failure("rate_limited", 10), answeredAt: now + 300 }))).toEqual(
      patient,
    );
  });

  it("halves what a rate limit lets it come back to quickly; other refusals say nothing of how much it bears", () => {
    const after = (code: FailureCode) =>
      full(gate({ limit: 20, threshold: 30 }), call({ failure: failure(code) }));
    expect(after("rate_limited").threshold).toBe(10);
    expect(after("quota_exhausted").threshold).toBe(20);
    const again = full(
      after("rate_limited"),
      call({ startedAt: now + 100_000, failure: failure("rate_limited"), answeredAt: now + 100_000 }),
    );
    expect(again.threshold, "a refused probe teaches nothing more").toBe(10);
  });

  it("lets it come back to one call at least", () => {
    const closed = full(gate({ limit: 1, threshold: 1 }), call({ failure: failure("rate_limited") }));
    expect(closed.threshold).toBe(1);
  });

  it("is told by what keeps it closed for longest", () => {
    const one = full(gate(), call({ failure: failure("rate_limited", 40_000), answeredAt: now }));
    const same = call({ failure: failure("billing", 40_000), answeredAt: now + 20_000 });
    expect(full(one, same)).toMatchObject({ closedBy: "billing", closedUntil: now + 80_000 });
    const until = call({ failure: failure("billing", 60_000), answeredAt: now - 20_000 });
    expect(full(one, until)).toBe(one);
  });

  it("lets a reopened gate out in waves: one, two, four", () => {
    let open = full(gate({ limit: 20 }), call({ failure: failure("rate_limited"), answeredAt: now }));
    const widths: number[] = [];
    for (let round = 1; round <= 5; round += 1) {
      const at = now + round * 60_000;
      const wave = width(open, ceiling, at);
      widths.push(wave);
      open = full(open, ...Array.from({ length: wave }, () => call({ startedAt: at, answeredAt: at + 1 })));
    }
    expect(widths).toEqual([1, 2, 4, 8, 10]);
  });
});

describe("overload", () => {
  it.each<FailureCode>(["overloaded", "timeout"])(
    "%s halves it, once a round, without closing it",
    (code) => {
      const narrow = full(gate({ limit: 20 }), call({ failure: failure(code) }));
      expect(narrow).toMatchObject({ limit: 10, threshold: 10, closedUntil: 0, closedBy: null });
      expect(full(narrow, call({ failure: failure(code) }))).toEqual(narrow);
      const next = { startedAt: now + 20_001, answeredAt: now + 40_000 };
      expect(full(narrow, call({ ...next, failure: failure(code) })).limit).toBe(5);
    },
  );

  it("is made a closure by a refusal that holds for everybody, whenever its call began", () => {
    const narrow = full(gate({ limit: 20 }), call({ failure: failure("overloaded"), answeredAt: now }));
    const limited = call({ failure: failure("rate_limited", 40_000), answeredAt: now + 100 });
    expect(full(narrow, limited)).toMatchObject({
      closedUntil: now + 40_100,
      closedBy: "rate_limited",
      limit: 1,
      strikes: 1,
    });
  });

  it("closes a gate that is as narrow as can be", () => {
    const closed = full(gate({ limit: 1.9 }), call({ failure: failure("overloaded"), answeredAt: now }));
    expect(closed).toMatchObject({ limit: 1, closedUntil: now + 2_000, closedBy: "overloaded", strikes: 1 });
  });
});

describe("pictures that take ever longer", () => {
  const drawn = (ms: number, at: number) => call({ startedAt: at, answeredAt: at + ms });

  it("make it narrower, gently and once a round, before Gemini refuses anything", () => {
    let slow = gate({ limit: 20, threshold: 20 });
    for (let n = 0; n < 50; n += 1) slow = full(slow, drawn(15_000, now));
    slow = full(slow, drawn(60_000, now));
    expect(slow.tightenedAt, "one alone says nothing").toBe(0);
    const before = slow.limit;
    for (let n = 0; n < 10; n += 1) slow = full(slow, drawn(60_000, now));
    expect(slow.tightenedAt).toBe(now + 60_000);
    expect(slow.limit).toBeGreaterThan(before * 0.85);
    expect(slow.limit).toBeLessThan(before);
    expect(slow.threshold).toBe(slow.limit);
    expect(full(slow, drawn(60_000, now))).toEqual(slow);
  });

  it("are those that take more than twice as long", () => {
    const at = { startedAt: now, answeredAt: now };
    const usual = full(gate({ limit: 20, usualMs: 1_000, recentMs: 2_200 }), call(at));
    expect(usual).toMatchObject({ usualMs: 990, recentMs: 1_980, tightenedAt: 0 });
    expect(usual.limit).toBeGreaterThan(20);
    const slow = full(gate({ limit: 20, usualMs: 1_000, recentMs: 2_210 }), call(at));
    expect(slow).toMatchObject({ limit: 18, threshold: 18, tightenedAt: now });
  });

  it("leave one call at least", () => {
    const slow = full(gate({ limit: 1, usualMs: 1_000, recentMs: 9_000 }), call({ answeredAt: now + 9_000 }));
    expect(slow).toMatchObject({ limit: 1, threshold: 1, tightenedAt: now + 9_000 });
  });

  it("are the new usual after a while", () => {
    let slow = gate({ limit: 20, usualMs: 15_000, recentMs: 15_000 });
    for (let n = 0; n < 60; n += 1) slow = full(slow, drawn(60_000, now + n * 100_000));
    const { limit } = slow;
    expect(limit).toBeLessThan(10);
    expect(full(slow, drawn(60_000, now + 100_000_000)).limit).toBeGreaterThan(limit);
  });
});
