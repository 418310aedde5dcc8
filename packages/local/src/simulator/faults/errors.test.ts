import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateWith, messageOf, post, prompted } from "../client-for-tests.ts";
import { type Simulator, startSimulator } from "../simulator.ts";
import { errorFaults } from "./errors.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());

const model = "gemini-3-pro-image";
const strike = (marker: string) => generateWith(simulator.url, model, prompted(`A fox [[sim:${marker}]]`));

const rows: readonly [marker: string, status: number, rpc: string, message: string | RegExp][] = [
  ["KEY_INVALID", 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."],
  [
    "KEY_LEAKED",
    403,
    "PERMISSION_DENIED",
    "Your API key was reported as leaked. Please use another API key.",
  ],
  [
    "FIELD",
    400,
    "INVALID_ARGUMENT",
    `Invalid JSON payload received. Unknown name "foo" at 'generation_config': Cannot find field.`,
  ],
  ["INVALID_ARGUMENT", 400, "INVALID_ARGUMENT", "Request contains an invalid argument."],
  ["INVALID_ARGUMENT:Provided image is not valid", 400, "INVALID_ARGUMENT", "Provided image is not valid"],
  ["LOCATION", 400, "FAILED_PRECONDITION", "User location is not supported for the API use."],
  ["MODEL_GONE", 404, "NOT_FOUND", /^models\/gemini-3-pro-image is not found for API version v1beta/],
  ["RATE_LIMIT", 429, "RESOURCE_EXHAUSTED", /limit: 4000000\nPlease retry in 47\.434392449s\.$/],
  ["RATE_LIMIT_DAY", 429, "RESOURCE_EXHAUSTED", /generate_requests_per_model_per_day, limit: 250/],
  ["RATE_LIMIT_SHORT", 429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."],
  ["FREE_TIER_ZERO", 429, "RESOURCE_EXHAUSTED", /free_tier_requests, limit: 0\n/],
  ["BILLING", 429, "RESOURCE_EXHAUSTED", /^Your prepayment credits are depleted\./],
  ["BILLING_402", 402, "RESOURCE_EXHAUSTED", /^Your prepayment credits are depleted\./],
  ["INTERNAL", 500, "INTERNAL", /^An internal error has occurred\. Please retry or report in https/],
  ["OVERLOADED", 503, "UNAVAILABLE", "The model is overloaded. Please try again later."],
  ["UNAVAILABLE", 503, "UNAVAILABLE", "The service is currently unavailable."],
  ["UNAVAILABLE_DEADLINE", 503, "UNAVAILABLE", "Deadline expired before operation could complete."],
  ["DEADLINE", 504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."],
];

describe("an HTTP error on demand", () => {
  it.each(rows)("%s is %i %s", async (marker, status, rpc, message) => {
    const reply = await strike(marker);
    expect(reply.status).toBe(status);
    expect(reply.headers.get("content-type")).toBe("application/json; charset=UTF-8");
    expect(reply.json()).toMatchObject({ error: { code: status, status: rpc } });
    if (typeof message === "string") expect(messageOf(reply.json())).toBe(message);
    else expect(messageOf(reply.json())).toMatch(message);
  });

  it("HTML_502 is a page of HTML", async () => {
    const reply = await strike("HTML_502");
    expect(reply.status).toBe(502);
    expect(reply.headers.get("content-type")).toContain("text/html");
    expect(reply.text).toMatch(/^<html>/);
  });

  it("is tested here for every row of the table", () => {
    const tested = new Set([...rows.map(([marker]) => marker.split(":")[0]), "HTML_502"]);
    expect(errorFaults.filter(({ name }) => !tested.has(name))).toEqual([]);
  });

  it("carries ErrorInfo and LocalizedMessage for a bad key, and violations for a bad field", async () => {
    expect((await strike("KEY_INVALID")).json()).toMatchObject({
      error: {
        details: [
          { reason: "API_KEY_INVALID", metadata: { service: "generativelanguage.googleapis.com" } },
          { locale: "en-US" },
        ],
      },
    });
    expect((await strike("FIELD:bar")).json()).toMatchObject({
      error: {
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            fieldViolations: [{ field: "generation_config", description: expect.stringContaining('"bar"') }],
          },
        ],
      },
    });
  });

  it("carries Help, QuotaFailure and RetryInfo for a quota, and the delay of the marker", async () => {
    expect((await strike("RATE_LIMIT:0s")).json()).toMatchObject({
      error: {
        details: [
          { "@type": "type.googleapis.com/google.rpc.Help" },
          {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            violations: [
              {
                quotaMetric: "generativelanguage.googleapis.com/generate_content_paid_tier_input_token_count",
                quotaId: "GenerateContentPaidTierInputTokensPerModelPerMinute",
                quotaDimensions: { location: "global", model },
                quotaValue: "4000000",
              },
            ],
          },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0s" },
        ],
      },
    });
    expect((await strike("RATE_LIMIT_SHORT")).json()).not.toHaveProperty("error.details");
  });

  it("is an array of one when a stream was asked for without alt=sse", async () => {
    const path = `/v1beta/models/${model}:streamGenerateContent`;
    const body = prompted("[[sim:OVERLOADED]]");
    expect((await post(simulator.url, path, body)).json()).toMatchObject([{ error: { code: 503 } }]);
    expect((await post(simulator.url, `${path}?alt=sse`, body)).json()).toMatchObject({
      error: { code: 503 },
    });
  });

  it("is not billed, but for DEADLINE, when the model has worked already", async () => {
    simulator.reset();
    for (const { name } of errorFaults) await strike(name);
    const billed = simulator.ledger().calls.filter((call) => call.billed);
    expect(billed.map((call) => [call.fault, call.status, call.images])).toEqual([["DEADLINE", 504, 1]]);
    expect(billed[0]?.costTokens.outputImage).toBe(1120);
  });
});
