import { ApiEnv, DeliverEnv, SweepEnv, WorkerEnv } from "@plantain/functions/runtime/env";
import { stages } from "@plantain/infra/stage";
import type { Template } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { synthesized } from "./synthesized.ts";

const Lambda = z.object({
  Properties: z.object({ Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }) }),
});

/** What a function will find in its environment, with a sample in place of what AWS fills in at deployment. */
function environment(stateless: Template, logicalId: RegExp): Record<string, string> {
  const functions = Object.entries(stateless.findResources("AWS::Lambda::Function"));
  const [, lambda] = functions.find(([id]) => logicalId.test(id)) ?? [];
  return Object.fromEntries(
    Object.entries(Lambda.parse(lambda).Properties.Environment.Variables).map(([name, value]) => {
      if (typeof value === "string") return [name, value];
      return [name, name.endsWith("_URL") ? "https://sqs.eu-west-1.amazonaws.com/1/queue" : "named-by-aws"];
    }),
  );
}

describe.each(stages)(
  "in stage $name",
  ({ name, protocol, defaultModel, capacity, geminiApiKeyParameters }) => {
    const expected = {
      STAGE: name,
      LEASE_MS: protocol.leaseMs,
      BEAT_MS: protocol.beatMs,
      BEAT_VISIBILITY_MS: protocol.beatVisibilityMs,
      CALL_MS: protocol.callMs,
      CALL_MARGIN_MS: protocol.callMarginMs,
      ARRIVAL_MS: protocol.arrivalMs,
    };
    const places = {
      JOBS_PER_TENANT: capacity.jobsPerTenant,
      CALLS_PER_MODEL: capacity.callsPerModel,
      LONGEST_CLOSURE_MS: capacity.longestClosureMs,
      GEMINI_API_KEY_PARAMETERS: geminiApiKeyParameters,
    };

    test("every function is given the variables it demands, and no others", () => {
      const { stateless } = synthesized(name);
      const api = z.strictObject(ApiEnv.shape).parse(environment(stateless, /^ApiFunction/));
      const worker = z.strictObject(WorkerEnv.shape).parse({
        ...environment(stateless, /^WorkerFunction/),
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024", // Lambda sets it
      });
      const sweep = z.strictObject(SweepEnv.shape).parse(environment(stateless, /^SweepFunction/));
      const deliver = z.strictObject(DeliverEnv.shape).parse(environment(stateless, /^DeliverFunction/));
      expect(deliver).toMatchObject({ STAGE: name, ARRIVAL_MS: protocol.arrivalMs });
      expect(api).toMatchObject({ ...expected, ...places, DEFAULT_MODEL: defaultModel });
      expect(worker).toMatchObject({ ...expected, ...places });
      expect(sweep).toMatchObject({ ...expected, ...places });
    });
  },
);
