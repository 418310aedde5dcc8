import { checkPolicy } from "@plantain/core/job/policy";
import { stages } from "@plantain/infra/stage";
import { describe, expect, test } from "vitest";

describe.each(stages)("stage $name", ({ protocol, api, worker, sweep }) => {
  test("has numbers that make the job protocol safe", () => {
    expect(checkPolicy(protocol)).toBe(protocol);
    expect(protocol.beatMs).toBeLessThanOrEqual(protocol.leaseMs / 3);
    expect(protocol.leaseMs).toBeLessThan(protocol.beatVisibilityMs);
  });

  test("gives a worker time for a call and what follows it", () => {
    expect(protocol.callMs + protocol.callMarginMs).toBeLessThan(worker.timeoutSeconds * 1000);
  });

  test("answers before API Gateway gives up, and sweeps before the next sweep", () => {
    expect(api.timeoutSeconds).toBeLessThan(30);
    expect(sweep.timeoutSeconds).toBeLessThan(60);
  });

  test("stays within what SQS and Lambda accept", () => {
    expect(worker.batchSize).toBeLessThanOrEqual(10);
    expect(worker.maxConcurrency).toBeGreaterThanOrEqual(2);
    expect(worker.timeoutSeconds).toBeLessThanOrEqual(900);
  });
});

test("no two stages share a Gemini key", () => {
  expect(stages.map((stage) => stage.geminiApiKeyParameters)).toEqual(
    stages.map((stage) => [`/plantain/${stage.name}/gemini-api-key`]),
  );
});

test("only prod keeps its data", () => {
  expect(stages.filter((stage) => stage.keepData).map((stage) => stage.name)).toEqual(["prod"]);
});
