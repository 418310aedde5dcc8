import { endpointsPrefix, eventPrefix, jobPrefix, jobsIndex, poolPrefix } from "@plantain/aws/table";
import { ArnFormat, Stack, Validations } from "aws-cdk-lib";
import type { TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct, IConstruct } from "constructs";

/** Everything there is to be permitted. */
export interface Resources {
  readonly jobs: TableV2;
  readonly tenants: TableV2;
  readonly bucket: Bucket;
  readonly queue: Queue;
  /** Webhook deliveries, by lane. */
  readonly deliveries: { readonly fast: Queue; readonly slow: Queue };
  readonly geminiApiKeyArns: string[];
}

/** Submits, reads and cancels jobs of tenants it looks up; stores inputs; signs reads of images. */
export function apiPermissions(resources: Resources): PolicyStatement[] {
  const { jobs, tenants, bucket, queue } = resources;
  return [
    allow(["dynamodb:BatchGetItem"], [jobs.tableArn]),
    ...giveOutPlaces(resources),
    allow(["dynamodb:Query"], [indexArn(jobs, jobsIndex.byTenant.name)]),
    allow(["dynamodb:GetItem"], [tenants.tableArn]),
    allow(["dynamodb:Query"], [indexArn(jobs, jobsIndex.byEndpoint.name)]),
    endpoints(resources, [
      "dynamodb:DeleteItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
    ]),
    allow(["sqs:SendMessage"], [queue.queueArn, ...laneArns(resources)]),
    allow(["s3:PutObject"], below(bucket, "meta")),
    allow(["s3:GetObject"], below(bucket, "meta", "out")),
  ];
}

/** Works jobs off: reads inputs, calls Gemini, stores outcomes and images, finds what an earlier attempt stored. */
export function workerPermissions(resources: Resources): PolicyStatement[] {
  const { bucket, queue, geminiApiKeyArns } = resources;
  return [
    ...giveOutPlaces(resources),
    endpoints(resources, ["dynamodb:Query"]),
    allow(["sqs:SendMessage"], [queue.queueArn, ...laneArns(resources)]),
    allow(["s3:GetObject"], below(bucket, "meta", "out")),
    allow(["s3:PutObject"], below(bucket, "meta", "out")),
    // Besides listing, it makes S3 say 404 and not 403 of an object that is not there
    listObjects(bucket),
    allow(["ssm:GetParameter"], geminiApiKeyArns),
  ];
}

/** Finds what is due and sends it again, lets it in, or ends it; erases what deleted jobs have left. */
export function sweepPermissions(resources: Resources): PolicyStatement[] {
  const { jobs, bucket, queue } = resources;
  return [
    ...giveOutPlaces(resources),
    endpoints(resources, ["dynamodb:Query"]),
    allow(["dynamodb:Query"], [indexArn(jobs, jobsIndex.byDue.name)]),
    itemsLike(["dynamodb:DeleteItem"], jobs, [`${jobPrefix}*`]),
    listObjects(bucket),
    allow(["s3:DeleteObject"], below(bucket, "meta", "out")),
    allow(["sqs:SendMessage"], [queue.queueArn, ...laneArns(resources)]),
  ];
}

/**
 * Tells endpoints what happened: reads jobs, keeps the log, notes how endpoints fare. It talks to strangers, so it has no
 * right to images, API keys or the provider's keys.
 */
export function deliverPermissions(resources: Resources): PolicyStatement[] {
  const events = `${eventPrefix}*`;
  return [
    itemsLike(["dynamodb:GetItem", "dynamodb:Query"], resources.jobs, [events, `${jobPrefix}*`]),
    itemsLike(["dynamodb:PutItem"], resources.jobs, [events]),
    endpoints(resources, ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]),
    allow(["sqs:SendMessage"], laneArns(resources)),
  ];
}

/** What jobs have in the bucket. */
function listObjects(bucket: Bucket): PolicyStatement {
  const statement = allow(["s3:ListBucket"], [bucket.bucketArn]);
  statement.addConditions({ StringLike: { "s3:prefix": ["meta/*", "out/*"] } });
  return statement;
}

/** Of the tenants' table, which has the API keys too, only the endpoints. */
function endpoints({ tenants }: Resources, actions: string[]): PolicyStatement {
  return itemsLike(actions, tenants, [`${endpointsPrefix}*`]);
}

/** Only the items whose partition keys are like these. */
function itemsLike(actions: string[], table: TableV2, keys: string[]): PolicyStatement {
  const statement = allow(actions, [table.tableArn]);
  statement.addConditions({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } });
  return statement;
}

function laneArns({ deliveries: { fast, slow } }: Resources): string[] {
  return [fast.queueArn, slow.queueArn];
}

/** Changes jobs and the pools of places for them; of the tenants' table, which has the API keys too, only the pools. */
function giveOutPlaces({ jobs, tenants }: Resources): PolicyStatement[] {
  const pools = allow(["dynamodb:GetItem", "dynamodb:PutItem"], [tenants.tableArn]);
  pools.addConditions({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [`${poolPrefix}*`] } });
  return [
    allow(changeJobs, [jobs.tableArn]),
    allow(["dynamodb:Query"], [indexArn(jobs, jobsIndex.byHeld.name)]),
    pools,
  ];
}

/**
 * Tells cdk-nag why statements of `grantee` end in a wildcard: the keys below a folder of the bucket cannot be listed.
 * `folders` must be exactly those that are granted; `dataStack` is the stack that has the bucket.
 */
export function acknowledgeFolders(grantee: IConstruct, folders: readonly string[], dataStack: Stack): void {
  // The bucket's ARN as cdk-nag sees it once CDK has replaced references between stacks.
  const bucketArn = JSON.stringify({
    "Fn::GetStackOutput": {
      StackName: dataStack.stackName,
      Region: { Ref: "AWS::Region" },
      OutputName: "PublishOutputFnGetAttImages2D38C313Arn4DB8C532",
    },
  });
  for (const folder of folders) {
    Validations.of(grantee).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${bucketArn}/${folder}/*]`,
      reason: `Objects below ${folder}/ are named by tenant and job, which come after deployment`,
    });
  }
}

/** ARN of an SSM parameter whose name starts with a slash. */
export function parameterArn(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({
    service: "ssm",
    resource: "parameter",
    resourceName: name.slice(1),
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
}

/** Transactions are permitted by the rights to the single writes they are made of. */
const changeJobs = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"];

const allow = (actions: string[], resources: string[]) => new PolicyStatement({ actions, resources });
const indexArn = (table: TableV2, index: string) => `${table.tableArn}/index/${index}`;
const below = (bucket: Bucket, ...folders: string[]) =>
  folders.map((folder) => bucket.arnForObjects(`${folder}/*`));
