import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FailureCode } from "@plantain/core/job/failure";
import type { LogFields } from "@plantain/functions/runtime/log";
import { expect, test } from "vitest";
import * as z from "zod";
import { synthesized } from "./synthesized.ts";

const Alarm = z.object({
  Properties: z.object({
    AlarmDescription: z.string(),
    AlarmActions: z.array(z.unknown()).length(1),
    OKActions: z.array(z.unknown()).length(1),
  }),
});

const { stateless, stateful } = synthesized("prod");
const alarms = [stateless, stateful]
  .flatMap((template) => Object.values(template.findResources("AWS::CloudWatch::Alarm")))
  .map((alarm) => Alarm.parse(alarm).Properties);

const articles = readFileSync(join(import.meta.dirname, "../../docs/runbook.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("## "))
  .map((line) =>
    line
      .slice(3)
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );

test("every alarm has an article in the runbook, and every article an alarm", () => {
  const named = alarms.map(({ AlarmDescription }) => /docs\/runbook\.md#(\S+)$/.exec(AlarmDescription)?.[1]);
  expect(new Set(articles).size).toBe(articles.length);
  // The lanes of deliveries share theirs
  expect(named).toHaveLength(articles.length + 2);
  expect(new Set(named)).toEqual(new Set(articles));
});

test("every alarm starts with what customers lose", () => {
  for (const { AlarmDescription } of alarms) expect(AlarmDescription).toMatch(/^[A-Z][^.]+\. Runbook: /);
});

test("every queue of dead letters has an alarm", () => {
  const deadLetters = Object.values(stateless.findResources("AWS::SQS::Queue")).flatMap(
    (queue) => queue.Properties.RedrivePolicy?.deadLetterTargetArn["Fn::GetAtt"][0] ?? [],
  );
  const watched = Object.values(
    stateless.findResources("AWS::CloudWatch::Alarm", {
      Properties: { MetricName: "ApproximateNumberOfMessagesVisible", Threshold: 1 },
    }),
  ).flatMap((alarm) => alarm.Properties.Dimensions[0].Value["Fn::GetAtt"][0]);
  expect(deadLetters).toHaveLength(3);
  expect(new Set(watched)).toEqual(new Set(deadLetters));
});

test("alarms may publish to their topic, those of other accounts may not", () => {
  stateless.hasResourceProperties("AWS::SNS::TopicPolicy", {
    PolicyDocument: {
      Statement: [
        { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } },
        {
          Effect: "Allow",
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
        },
      ],
    },
  });
});

test.each<[string, FailureCode[]]>([
  ["GeminiRefusals", ["billing", "provider_configuration"]],
  ["GeminiQuotaRefusals", ["quota_exhausted"]],
])("%s are counted by what the worker logs, and heard of until the next probe", (name, codes) => {
  const field: keyof LogFields = "failureCode";
  stateless.hasResourceProperties("AWS::Logs::MetricFilter", {
    FilterPattern: patternOf(codes.map((code) => `$.${field} = "${code}"`)),
    MetricTransformations: [
      { MetricNamespace: "Plantain-prod-Stateless", MetricName: name, MetricValue: "1" },
    ],
  });
  stateless.hasResourceProperties("AWS::CloudWatch::Alarm", {
    Namespace: "Plantain-prod-Stateless",
    MetricName: name,
    Threshold: 1,
    EvaluationPeriods: 4,
    DatapointsToAlarm: 1,
  });
});

function patternOf(matches: readonly string[]): string {
  return matches.length === 1
    ? `{ ${matches[0]} }`
    : `{ ${matches.map((match) => `(${match})`).join(" || ")} }`;
}
