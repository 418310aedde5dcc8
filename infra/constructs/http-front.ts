import { Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import { HttpApi, HttpStage, LogGroupLogDestination } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { Alarms, Notice } from "./alarms.ts";
import type { NodeFunction } from "./node-function.ts";

export interface HttpFrontProps {
  readonly answerer: NodeFunction;
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly logRetentionDays: RetentionDays;
  readonly keepLogs: boolean;
  readonly alarms: Alarms;
  /** Shown when the front answers 5xx. */
  readonly failing: Notice;
}

/** A public HTTPS address whose every request goes to one function, throttled and logged. */
export class HttpFront extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: HttpFrontProps) {
    super(scope, id);
    const api = new HttpApi(this, "Api", {
      apiName: Stack.of(this).stackName,
      createDefaultStage: false,
      defaultIntegration: new HttpLambdaIntegration("Answerer", props.answerer.lambda),
    });
    const logs = new LogGroup(this, "AccessLogs", {
      retention: props.logRetentionDays,
      removalPolicy: props.keepLogs ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const stage = new HttpStage(this, "Stage", {
      httpApi: api,
      autoDeploy: true,
      throttle: { rateLimit: props.requestsPerSecond, burstLimit: props.burst },
      accessLogSettings: { destination: new LogGroupLogDestination(logs), format: accessLog },
    });
    this.url = api.apiEndpoint;
    Validations.of(api).acknowledge({
      id: "AwsSolutions-APIG4",
      reason:
        "The function checks the bearer key itself: it must read the tenant anyway, and /healthz is public",
    });
    props.alarms.add(`${id}Failing`, props.failing, {
      metric: stage.metricServerError({ period: Duration.minutes(5), statistic: "Sum" }),
      threshold: 5,
      evaluationPeriods: 1,
    });
  }
}

/** One JSON line per request; no headers and no query string, which may carry keys. */
const accessLog = AccessLogFormat.custom(
  JSON.stringify({
    requestId: "$context.requestId",
    time: "$context.requestTime",
    ip: "$context.identity.sourceIp",
    method: "$context.httpMethod",
    path: "$context.path",
    status: "$context.status",
    responseBytes: "$context.responseLength",
    latencyMs: "$context.responseLatency",
    functionMs: "$context.integrationLatency",
    error: "$context.integrationErrorMessage",
  }),
);
