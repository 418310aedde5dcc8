import { Stack } from "aws-cdk-lib";
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";

/** Headings of `docs/runbook.md` as link anchors: each alarm has one, and a test holds the page to this list. */
export type RunbookArticle =
  | "jobs-set-aside"
  | "jobs-wait-too-long"
  | "workers-crash"
  | "gemini-refuses-us"
  | "gemini-quota-used-up"
  | "deliveries-set-aside"
  | "deliveries-wait-too-long"
  | "deliver-crashes"
  | "sweep-has-stopped"
  | "api-answers-5xx";

/** What whoever is woken by an alarm reads first. */
export interface Notice {
  /** What customers lose while it lasts: one sentence. */
  readonly impact: string;
  readonly article: RunbookArticle;
}

interface Condition extends Pick<AlarmProps, "threshold" | "evaluationPeriods" | "datapointsToAlarm"> {
  readonly metric: IMetric;
  /** Which side of the threshold is bad. Default: at or above it. */
  readonly comparison?: ComparisonOperator;
  /** What silence means. Default: all is well, since an idle queue or function emits nothing. */
  readonly silence?: TreatMissingData;
}

/** The topic that all alarms of a stack report to. Anything may subscribe to it: mail, chat, a pager. */
export class Alarms extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { emails }: { readonly emails: readonly string[] }) {
    super(scope, id);
    this.topic = new Topic(this, "Topic", { enforceSSL: true });
    // Its TLS rule replaces the default policy, the one that lets alarms of the account publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
    );
    for (const email of emails) this.topic.addSubscription(new EmailSubscription(email));
  }

  /** Adds an alarm that notifies when the condition begins to hold and when it is over. */
  add(id: string, { impact, article }: Notice, { metric, comparison, silence, ...rest }: Condition): void {
    const alarm = new Alarm(this, id, {
      ...rest,
      metric,
      alarmDescription: `${impact} Runbook: docs/runbook.md#${article}`,
      comparisonOperator: comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: silence ?? TreatMissingData.NOT_BREACHING,
    });
    const action = new SnsAction(this.topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }
}
