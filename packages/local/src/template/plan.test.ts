import { describe, expect, test } from "vitest";
import { type FixtureResource, httpApi, lambda, places, writeAssembly } from "./assembly.fixture.ts";
import { readPlan } from "./plan.ts";

const key = { AttributeName: "pk", KeyType: "HASH" };
const resources: Record<string, FixtureResource> = {
  Role: { Type: "AWS::IAM::Role" },
  Topic: { Type: "AWS::SNS::Topic" },
  Jobs: {
    Type: "AWS::DynamoDB::GlobalTable",
    Properties: {
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [key],
      BillingMode: "PAY_PER_REQUEST",
      TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
      Replicas: [{ Region: { Ref: "AWS::Region" } }],
    },
  },
  Images: {
    Type: "AWS::S3::Bucket",
    Properties: {
      CorsConfiguration: { CorsRules: [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"], MaxAge: 60 }] },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true },
    },
  },
  DeadLetters: { Type: "AWS::SQS::Queue" },
  Queue: {
    Type: "AWS::SQS::Queue",
    Properties: {
      VisibilityTimeout: 60,
      RedrivePolicy: { deadLetterTargetArn: { "Fn::GetAtt": ["DeadLetters", "Arn"] }, maxReceiveCount: 5 },
    },
  },
  WorkerFunctionAF8A26AF: lambda("a1", {
    Timeout: 10,
    MemorySize: 256,
    Environment: { Variables: { N: 1, Q: { Ref: "Queue" } } },
  }),
  Mapping: {
    Type: "AWS::Lambda::EventSourceMapping",
    Properties: {
      EventSourceArn: { "Fn::GetAtt": ["Queue", "Arn"] },
      FunctionName: { Ref: "WorkerFunctionAF8A26AF" },
      BatchSize: 5,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      ScalingConfig: { MaximumConcurrency: 2 },
    },
  },
  Schedule: {
    Type: "AWS::Scheduler::Schedule",
    Properties: {
      FlexibleTimeWindow: { Mode: "OFF" },
      ScheduleExpression: "rate(1 minute)",
      Target: {
        Arn: { "Fn::GetAtt": ["WorkerFunctionAF8A26AF", "Arn"] },
        RoleArn: { "Fn::GetAtt": ["Role", "Arn"] },
      },
    },
  },
  ...httpApi("WorkerFunctionAF8A26AF"),
};
const handlers = { a1: "export const handler = () => 1;" };

function planWith(changes: Record<string, FixtureResource | undefined>) {
  const kept = Object.entries({ ...resources, ...changes }).flatMap(([id, resource]) =>
    resource === undefined ? [] : [[id, resource] as const],
  );
  return readPlan(writeAssembly({ S: { resources: Object.fromEntries(kept), handlers } }), places);
}

function changed(id: string, properties: object): Record<string, FixtureResource> {
  const resource = resources[id];
  if (resource === undefined) throw new Error(`No ${id} in the fixture`);
  return { [id]: { ...resource, Properties: { ...resource.Properties, ...properties } } };
}

describe("a template", () => {
  const plan = planWith({});

  test("gives tables and buckets in the terms of their servers", () => {
    expect(plan.tables).toMatchObject([
      { name: "S-Jobs", KeySchema: [key], TimeToLiveSpecification: { AttributeName: "expiresAt" } },
    ]);
    expect(plan.buckets).toEqual([
      { name: "s-images", cors: [{ allowedMethods: ["GET"], allowedOrigins: ["*"], maxAgeSeconds: 60 }] },
    ]);
  });

  test("gives queues with their dead letters", () => {
    expect(plan.queues[1]).toMatchObject({
      url: "http://127.0.0.1:1001/000000000000/S-Queue",
      visibilitySeconds: 60,
      attributes: {
        VisibilityTimeout: "60",
        RedrivePolicy:
          '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:S-DeadLetters","maxReceiveCount":5}',
      },
    });
  });

  test("gives functions a short name, their bundle and their environment", () => {
    expect(plan.functions).toMatchObject([
      {
        name: "worker",
        modulePath: expect.stringMatching(/asset\.a1\/handler\.mjs$/),
        exportName: "handler",
        environment: { N: "1", Q: "http://127.0.0.1:1001/000000000000/S-Queue" },
        timeoutMs: 10_000,
        memoryMb: 256,
      },
    ]);
  });

  test("connects queues, schedules and the HTTP API to functions", () => {
    expect(plan.mappings).toMatchObject([
      {
        queue: { name: "S-Queue" },
        function: { name: "worker" },
        batchSize: 5,
        maxConcurrency: 2,
        reportsFailures: true,
      },
    ]);
    expect(plan.schedules).toMatchObject([
      { function: { name: "worker" }, everySeconds: 60, source: "aws.scheduler" },
    ]);
    expect(plan.httpApi).toMatchObject({ function: { name: "worker" }, timeoutMs: 30_000 });
  });

  test("may switch a queue and a schedule off", () => {
    const off = planWith({
      ...changed("Mapping", { Enabled: false }),
      ...changed("Schedule", { State: "DISABLED" }),
    });
    expect([off.mappings, off.schedules]).toEqual([[], []]);
  });
});

describe("a template stops the start when it holds", () => {
  test.each<[string, Record<string, FixtureResource | undefined>, string]>([
    [
      "an unknown type",
      { Vpc: { Type: "AWS::EC2::VPC" } },
      'Cannot run "S/Vpc" (AWS::EC2::VPC) locally: this type is neither supported nor ignored',
    ],
    [
      "a property nobody emulates",
      changed("Mapping", { FilterCriteria: {} }),
      'property "FilterCriteria" is not known',
    ],
    [
      "a property inside another that nobody emulates",
      changed("Images", {
        CorsConfiguration: { CorsRules: [{ AllowedMethods: [], AllowedOrigins: [], Odd: 1 }] },
      }),
      'Unrecognized key: "Odd"',
    ],
    [
      "a condition",
      { Jobs: { Type: "AWS::DynamoDB::Table", Condition: "IsProd" } },
      'take condition "IsProd" off it',
    ],
    [
      "a table stream as event source",
      changed("Mapping", { EventSourceArn: "arn:aws:dynamodb:…:stream" }),
      "is no queue of the template",
    ],
    [
      "a visibility timeout below the function's",
      changed("Queue", { VisibilityTimeout: 9 }),
      "queue visibility timeout: 9 seconds is less than function timeout: 10 seconds",
    ],
    [
      "a large batch without a window",
      changed("Mapping", { BatchSize: 11 }),
      "a batch of more than 10 needs a batching window",
    ],
    [
      "a cron schedule",
      changed("Schedule", { ScheduleExpression: "cron(0 1 * * ? *)" }),
      "does not run locally; use rate(…)",
    ],
    ["a route of its own", changed("Route", { RouteKey: "GET /x" }), "only the route $default runs locally"],
    [
      "a second route",
      {
        More: {
          Type: "AWS::ApiGatewayV2::Route",
          Properties: { ApiId: "a", RouteKey: "$default", Target: "t" },
        },
      },
      "there is one front",
    ],
    [
      "no HTTP API",
      { Api: undefined, Route: undefined, Integration: undefined, Stage: undefined },
      "it holds no HTTP API",
    ],
    ["a function without its bundle", { Other: lambda("b2") }, 'its asset "b2" holds no module "handler"'],
    [
      "inline code",
      changed("WorkerFunctionAF8A26AF", { Code: { ZipFile: "x" } }),
      "only code from an asset runs locally",
    ],
    [
      "another runtime",
      changed("WorkerFunctionAF8A26AF", { Runtime: "python3.14" }),
      "only Node.js functions run locally",
    ],
    ["two functions of one short name", { Worker: lambda("a1") }, 'it would be called "worker" like'],
  ])("%s", (_what, changes, message) => {
    expect(() => planWith(changes)).toThrow(message);
  });
});
