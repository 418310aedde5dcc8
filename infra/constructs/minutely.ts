import { Duration, Stack } from "aws-cdk-lib";
import { ComparisonOperator, MathExpression, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Schedule, ScheduleExpression } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";
import type { Alarms, Notice } from "./alarms.ts";
import type { NodeFunction } from "./node-function.ts";

export interface MinutelyProps {
  readonly run: NodeFunction;
  readonly alarms: Alarms;
  /** Shown when no run has succeeded for ten minutes. */
  readonly stopped: Notice;
}

/** Runs a function each minute. A run that fails is not repeated: the next minute's run does its work. */
export class Minutely extends Construct {
  constructor(scope: Construct, id: string, { run: { lambda }, alarms, stopped }: MinutelyProps) {
    super(scope, id);
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [lambda.functionArn] }),
    );
    new Schedule(this, "Schedule", {
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
      // The stock Lambda target would also allow every version and alias of the function.
      target: {
        bind: () => ({
          arn: lambda.functionArn,
          role,
          retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 0 },
        }),
      },
    });
    lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });

    const period = Duration.minutes(5);
    alarms.add(`${id}Stopped`, stopped, {
      metric: new MathExpression({
        expression: "FILL(runs, 0) - FILL(errors, 0)",
        usingMetrics: { runs: lambda.metricInvocations({ period }), errors: lambda.metricErrors({ period }) },
        label: "Runs that succeeded",
        period,
      }),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 2,
      silence: TreatMissingData.BREACHING,
    });
  }
}
