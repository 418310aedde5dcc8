import { sampleRunning } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { abandoned, isSettled, unknownCall } from "./attempt.ts";

describe("the calls of an attempt", () => {
  it("are settled once every bill is known, whether anything was charged or not", () => {
    const call = unknownCall(0);
    expect(isSettled([])).toBe(true);
    expect(isSettled([{ ...call, billed: "yes" }])).toBe(true);
    expect(isSettled([{ ...call, billed: "no" }])).toBe(true);
    expect(isSettled([{ ...call, billed: "yes" }, call])).toBe(false);
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
