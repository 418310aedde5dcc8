/**
 * The closed list of what the local runtime makes of a template. A resource type that is in neither table, and a
 * property that is neither read nor listed here as meaningless on one machine, stops the start: better than a local
 * system that silently differs from the deployed one. `docs/local.md` shows the same lists; a test compares them.
 */

/** Types that run locally, each with those of its properties that mean nothing on one machine. */
export const supportedTypes = {
  "AWS::DynamoDB::Table": [
    "BillingMode",
    "DeletionProtectionEnabled",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "Tags",
    "WarmThroughput",
  ],
  "AWS::DynamoDB::GlobalTable": ["BillingMode", "Replicas", "SSESpecification", "WarmThroughput"],
  "AWS::SQS::Queue": ["KmsMasterKeyId", "RedriveAllowPolicy", "SqsManagedSseEnabled", "Tags"],
  "AWS::S3::Bucket": [
    "BucketEncryption",
    "LifecycleConfiguration",
    "LoggingConfiguration",
    "OwnershipControls",
    "PublicAccessBlockConfiguration",
    "Tags",
    "VersioningConfiguration",
  ],
  "AWS::Lambda::Function": [
    "Architectures",
    "Description",
    "EphemeralStorage",
    "LoggingConfig",
    "RecursiveLoop",
    "Role",
    "Tags",
    "TracingConfig",
  ],
  "AWS::Lambda::EventSourceMapping": ["MetricsConfig", "Tags"],
  "AWS::Scheduler::Schedule": ["Description", "FlexibleTimeWindow", "ScheduleExpressionTimezone"],
  "AWS::Events::Rule": ["Description"],
  "AWS::ApiGatewayV2::Api": ["Description", "DisableExecuteApiEndpoint", "Name", "Tags"],
  "AWS::ApiGatewayV2::Integration": ["Description"],
  "AWS::ApiGatewayV2::Route": ["OperationName"],
  "AWS::ApiGatewayV2::Stage": [
    "AccessLogSettings",
    "AutoDeploy",
    "DefaultRouteSettings",
    "Description",
    "RouteSettings",
    "Tags",
  ],
} as const satisfies Record<string, readonly string[]>;

export type SupportedType = keyof typeof supportedTypes;

/** Types that are skipped, each with the reason why that changes nothing on one machine. */
export const ignoredTypes: Readonly<Record<string, string>> = {
  "AWS::CDK::Metadata": "only tells AWS which constructs are in use",
  "AWS::CloudWatch::Alarm": "no metrics are recorded; what functions log is on the screen",
  "AWS::CloudWatch::Dashboard": "no metrics are recorded",
  "AWS::IAM::Policy": "access is not checked: every function may do everything",
  "AWS::IAM::Role": "access is not checked: every function may do everything",
  "AWS::Lambda::EventInvokeConfig": "a schedule that failed runs again at its next tick",
  "AWS::Lambda::Permission": "access is not checked: every caller may invoke",
  "AWS::Logs::LogGroup": "logs are on the screen",
  "AWS::Logs::MetricFilter": "no metrics are recorded",
  "AWS::S3::BucketPolicy": "access is not checked beyond the signature of a request",
  "AWS::SNS::Subscription": "only carries alarms",
  "AWS::SNS::Topic": "only carries alarms",
  "AWS::SNS::TopicPolicy": "only carries alarms",
  "AWS::SQS::QueuePolicy": "access is not checked: every caller may send and receive",
};

/** Whether the runtime builds a local counterpart for this type. */
export function isSupported(type: string): type is SupportedType {
  return Object.hasOwn(supportedTypes, type);
}

/** Whether the runtime may leave a resource of this type out. */
export function isIgnored(type: string): boolean {
  return Object.hasOwn(ignoredTypes, type);
}
