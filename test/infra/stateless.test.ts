import { stages } from "@plantain/infra/stage";
import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import { synthesized } from "./synthesized.ts";

const { stateless: prod } = synthesized("prod");

describe("the queue", () => {
  test.each(stages)("of $name hides a message six times as long as a worker may run", ({ name, worker }) => {
    synthesized(name).stateless.hasResourceProperties("AWS::SQS::Queue", {
      RedrivePolicy: { maxReceiveCount: 5, deadLetterTargetArn: Match.anyValue() },
      VisibilityTimeout: 6 * worker.timeoutSeconds,
    });
  });

  test("has dead letters, kept as long as SQS can", () => {
    prod.resourceCountIs("AWS::SQS::Queue", 6);
    prod.hasResourceProperties("AWS::SQS::Queue", {
      MessageRetentionPeriod: 14 * 24 * 3600,
      RedrivePolicy: Match.absent(),
    });
  });

  test("and its dead letters refuse requests without TLS", () => {
    prod.resourceCountIs("AWS::SQS::QueuePolicy", 6);
    prod.allResourcesProperties("AWS::SQS::QueuePolicy", {
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Effect: "Deny",
            Principal: { AWS: "*" },
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          }),
        ],
      },
    });
  });

  test("is worked off in batches whose failures are told one by one", () => {
    prod.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      BatchSize: 5,
      ScalingConfig: { MaximumConcurrency: 100 },
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
  });
});

describe("functions", () => {
  test("run on Node 24 on ARM, each with a role, and a log in JSON that ends some day", () => {
    prod.resourceCountIs("AWS::Lambda::Function", 4);
    prod.allResourcesProperties("AWS::Lambda::Function", {
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      LoggingConfig: { LogFormat: "JSON", LogGroup: Match.anyValue() },
    });
    prod.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 90 });
    const roles = Object.values(prod.findResources("AWS::Lambda::Function")).map((lambda) =>
      JSON.stringify(lambda.Properties.Role),
    );
    expect(new Set(roles).size).toBe(4);
  });

  test("include a worker and a deliver that may send messages back to their own queues for ever", () => {
    prod.resourcePropertiesCountIs("AWS::Lambda::Function", { RecursiveLoop: "Allow" }, 2);
    prod.hasResourceProperties("AWS::Lambda::Function", { RecursiveLoop: "Allow", Timeout: 60 });
    prod.hasResourceProperties("AWS::Lambda::Function", { RecursiveLoop: "Allow", Timeout: 330 });
  });

  test("include a sweep that runs each minute and leaves a failed run to the next", () => {
    prod.hasResourceProperties("AWS::Scheduler::Schedule", {
      ScheduleExpression: "rate(1 minute)",
      State: "ENABLED",
      Target: { RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
    prod.hasResourceProperties("AWS::Lambda::EventInvokeConfig", { MaximumRetryAttempts: 0 });
  });
});

describe("webhooks", () => {
  test("have a queue for each lane, worked off apart", () => {
    for (const MaximumConcurrency of [20, 10]) {
      prod.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
        BatchSize: 10,
        ScalingConfig: { MaximumConcurrency },
        FunctionResponseTypes: ["ReportBatchItemFailures"],
      });
    }
    prod.resourcePropertiesCountIs("AWS::SQS::Queue", { VisibilityTimeout: 360 }, 2);
  });

  test.each(stages)("of $name never go to the machine itself", ({ name }) => {
    expect(JSON.stringify(synthesized(name).stateless.toJSON())).not.toContain("LOOPBACK");
  });
});

describe("the HTTP front", () => {
  test("hands every request to the API, throttled and logged", () => {
    prod.resourceCountIs("AWS::ApiGatewayV2::Route", 1);
    prod.hasResourceProperties("AWS::ApiGatewayV2::Route", { RouteKey: "$default" });
    prod.hasResourceProperties("AWS::ApiGatewayV2::Integration", { PayloadFormatVersion: "2.0" });
    prod.hasResourceProperties("AWS::ApiGatewayV2::Stage", {
      StageName: "$default",
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 },
      AccessLogSettings: { DestinationArn: Match.anyValue() },
    });
  });

  test("logs neither headers nor query strings, which may carry keys", () => {
    const [stage] = Object.values(prod.findResources("AWS::ApiGatewayV2::Stage"));
    expect(stage?.Properties.AccessLogSettings.Format).not.toMatch(/querystring|authorizer|header/i);
  });
});

test("nothing has a name of its own, so that two copies can live side by side", () => {
  const names = /^(Bucket|Function|LogGroup|Queue|Role|Table|Topic|Alarm)Name$|^Name$/;
  const { Resources } = prod.toJSON();
  for (const resource of Object.values<{ Type: string; Properties?: object }>(Resources)) {
    if (resource.Type === "AWS::ApiGatewayV2::Api") continue; // what the console shows; it need not be unique
    const named = Object.entries(resource.Properties ?? {}).filter(
      ([property, value]) => names.test(property) && typeof value === "string",
    );
    expect(named).toEqual([]);
  }
});

test("what an owner needs to know is an output", () => {
  for (const output of ["ApiUrl", "JobsQueueUrl", "AlarmTopicArn"]) prod.hasOutput(output, {});
});
