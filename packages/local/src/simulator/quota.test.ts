import { describe, expect, it } from "vitest";
import { generateWith, prompted } from "./client-for-tests.ts";
import { createQuota, type Quota } from "./quota.ts";
import { Refusal } from "./refusal.ts";
import { startSimulator } from "./simulator.ts";

const noon = Date.parse("2026-11-23T20:00:00Z");

/** Takes once at each time (milliseconds after noon Pacific) and gives what came back: null, or the error body. */
function taking(limits: Quota, times: readonly number[], model = "m"): unknown[] {
  const quota = createQuota(limits);
  return times.map((time) => {
    try {
      quota.take("key", model, noon + time);
      return null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.reply.body;
    }
  });
}

describe("a quota", () => {
  it("of requests per minute lets a burst through, then says exactly when to come back", () => {
    const [first, second, third, later] = taking({ rpm: 2 }, [0, 0, 12_000, 30_000]);
    expect([first, second, later]).toEqual([null, null, null]);
    expect(third).toMatchObject({
      error: {
        code: 429,
        message: expect.stringContaining("Please retry in 18.000000000s."),
        details: [
          {},
          {
            violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel", quotaValue: "2" }],
          },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "18.000000000s" },
        ],
      },
    });
  });

  it("of images per minute answers without details", () => {
    const [, second, third] = taking({ ipm: 1 }, [0, 1000, 61_000]);
    expect(second).toEqual({
      error: {
        code: 429,
        status: "RESOURCE_EXHAUSTED",
        message: "Resource has been exhausted (e.g. check quota).",
      },
    });
    expect(third).toBeNull();
  });

  it("of requests per day lasts until midnight Pacific, whatever its RetryInfo says", () => {
    const hour = 3600_000;
    const [first, second, evening, nextDay] = taking({ rpd: 1 }, [0, 1, 11 * hour, 12 * hour]);
    expect([first, nextDay]).toEqual([null, null]);
    expect(second).toEqual(evening);
    expect(second).toMatchObject({
      error: { details: [{}, { violations: [{ quotaId: expect.stringContaining("PerDay") }] }, {}] },
    });
  });

  it("is kept for each key and model apart", () => {
    const quota = createQuota({ rpm: 1 });
    quota.take("a", "x", noon);
    quota.take("b", "x", noon);
    quota.take("a", "y", noon);
    expect(() => quota.take("a", "x", noon)).toThrow(Refusal);
  });

  it("applies to calls, and is full again after a reset", async () => {
    const simulator = await startSimulator({ quota: { rpm: 1 } });
    const call = () =>
      generateWith(simulator.url, "gemini-3-pro-image", prompted("x [[sim:NO_IMAGE]]")).then(
        ({ status }) => status,
      );
    expect([await call(), await call()]).toEqual([200, 429]);
    simulator.reset();
    expect(await call()).toBe(200);
    await simulator.stop();
  });
});
