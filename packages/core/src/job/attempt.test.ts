import { sampleRunning } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { abandoned, isSettled, mergeCalls, unknownCall } from "./attempt.ts";

describe("the calls of an attempt", () => {
  it("are settled once every bill is known, whether anything was charged or not", () => {
    const call = unknownCall(0);
    expect(isSettled([])).toBe(true);
    expect(isSettled([{ ...call, billed: "yes" }])).toBe(true);
    expect(isSettled([{ ...call, billed: "no" }])).toBe(true);
    expect(isSettled([{ ...call, billed: "yes" }, call])).toBe(false);
  });
});

describe("what several know of the calls of an attempt", () => {
  const paid = (index: number, cost: number) => ({ ...unknownCall(index), billed: "yes", cost }) as const;

  it("adds up: what one doesn't know another does", () => {
    expect(mergeCalls([paid(0, 7), unknownCall(1)], [unknownCall(0), paid(1, 8)])).toEqual([
      paid(0, 7),
      paid(1, 8),
    ]);
    expect(mergeCalls([paid(1, 8)], [paid(0, 7)])).toEqual([paid(0, 7), paid(1, 8)]);
    expect(mergeCalls([], [unknownCall(0)])).toEqual([unknownCall(0)]);
    expect(mergeCalls([unknownCall(0)], [])).toEqual([unknownCall(0)]);
  });

  it("has the time at which a call began, whoever knows it", () => {
    const begun = { ...unknownCall(0), startedAt: 5 };
    expect(mergeCalls([unknownCall(0)], [begun])).toEqual([begun]);
    expect(mergeCalls([begun], [unknownCall(0)])).toEqual([begun]);
    expect(mergeCalls([begun], [paid(0, 7)])).toEqual([{ ...paid(0, 7), startedAt: 5 }]);
    expect(mergeCalls([begun], [{ ...paid(0, 7), startedAt: 6 }])).toEqual([{ ...paid(0, 7), startedAt: 6 }]);
  });

  it("is never unlearned or told anew", () => {
    expect(mergeCalls([paid(0, 7)], [unknownCall(0)])).toEqual([paid(0, 7)]);
    expect(mergeCalls([paid(0, 7)], [paid(0, 9)])).toEqual([paid(0, 7)]);
    const free = { ...unknownCall(0), billed: "no", cost: 0 } as const;
    expect(mergeCalls([free], [paid(0, 9)])).toEqual([free]);
  });
});

describe("an attempt whose worker is gone", () => {
  it("may have been billed for whatever it was paying, and nothing more is known of it", () => {
    const job = sampleRunning({ fence: 3, claimedAt: 1_000, paying: [0, 2] });
    const nothing = {
      usage: null,
      cost: null,
      upstream: null,
      failure: null,
      startedAt: null,
      answeredAt: null,
      storedAt: null,
    };
    expect(abandoned(job, "worker_lost", 61_000)).toMatchObject({
      fence: 3,
      startedAt: 1_000,
      endedAt: 61_000,
      ended: "worker_lost",
      failure: null,
      calls: [
        { index: 0, billed: "unknown", ...nothing },
        { index: 2, billed: "unknown", ...nothing },
      ],
    });
  });

  it("is settled at once where it hadn't begun to pay", () => {
    const { calls } = abandoned(sampleRunning({ paying: [] }), "canceled", 1);
    expect(isSettled(calls)).toBe(true);
  });
});
