import { existsSync } from "node:fs";
import { join } from "node:path";
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import { type PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  type RecursiveLoop,
  Runtime,
} from "aws-cdk-lib/aws-lambda";
import { FilterPattern, LogGroup, MetricFilter, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";

const root = join(import.meta.dirname, "../..");

export interface NodeFunctionProps {
  /** Folder under `functions/`, and under `dist/` once bundled. */
  readonly name: string;
  readonly description: string;
  readonly memoryMb: number;
  readonly timeout: Duration;
  readonly environment: Readonly<Record<string, string>>;
  /** All that the function may do besides writing its log. */
  readonly permissions: readonly PolicyStatement[];
  readonly logRetentionDays: RetentionDays;
  readonly keepLogs: boolean;
  readonly recursiveLoop?: RecursiveLoop;
}

/** One bundled handler with a role and a log group of its own. Throws when the bundle is missing. */
export class NodeFunction extends Construct {
  readonly lambda: LambdaFunction;
  private readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    this.logGroup = new LogGroup(this, "Logs", {
      retention: props.logRetentionDays,
      removalPolicy: props.keepLogs ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.logGroup.grantWrite(role);
    this.lambda = new LambdaFunction(this, "Function", {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "handler.handler",
      code: bundle(props.name),
      memorySize: props.memoryMb,
      timeout: props.timeout,
      environment: { ...props.environment },
      role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      ...(props.recursiveLoop === undefined ? {} : { recursiveLoop: props.recursiveLoop }),
    });
    for (const statement of props.permissions) this.lambda.addToRolePolicy(statement);
  }

  /** Counts, per five minutes and under the name `id`, the log lines whose `field` has one of these values. */
  countLogLines(id: string, field: string, values: readonly string[]): IMetric {
    const matches = values.map((value) => FilterPattern.stringValue(`$.${field}`, "=", value));
    return new MetricFilter(this, id, {
      logGroup: this.logGroup,
      filterPattern: FilterPattern.any(...matches),
      metricNamespace: Stack.of(this).stackName,
      metricName: id,
    }).metric({ statistic: "Sum", period: Duration.minutes(5) });
  }
}

function bundle(name: string): Code {
  const folder = join(root, "dist", name);
  if (!existsSync(join(folder, "handler.mjs"))) {
    throw new Error(`Cannot find the bundle "dist/${name}/handler.mjs": run "npm run build" first`);
  }
  return Code.fromAsset(folder, { exclude: ["*.map"] });
}
