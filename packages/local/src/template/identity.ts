import { createHash } from "node:crypto";
import type { Resource } from "./assembly.ts";
import { TemplateError } from "./error.ts";

/** Where the local counterparts of regional endpoints are. */
export type Places = {
  readonly region: string;
  readonly account: string;
  /** Base URL of SQS. */
  readonly sqs: string;
  /** Base URL of the HTTP front. */
  readonly front: string;
};

/** What `Ref` and `Fn::GetAtt` give for one resource. */
export type Identity = { readonly ref: string; readonly attributes: Readonly<Record<string, string>> };

/** The property that gives a resource its physical name, by type. */
export const nameProperty: Readonly<Record<string, string>> = {
  "AWS::DynamoDB::Table": "TableName",
  "AWS::DynamoDB::GlobalTable": "TableName",
  "AWS::SQS::Queue": "QueueName",
  "AWS::S3::Bucket": "BucketName",
  "AWS::Lambda::Function": "FunctionName",
  "AWS::ApiGatewayV2::Stage": "StageName",
  "AWS::Scheduler::Schedule": "Name",
  "AWS::Events::Rule": "Name",
};

/**
 * What other resources see of this one.
 * Names are made from stack and logical id, so they stay the same over restarts and a kept table is found again.
 * @param named the physical name the template gives, if any
 */
export function identify(resource: Resource, named: string | undefined, places: Places): Identity {
  const { region, account } = places;
  const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
  switch (resource.type) {
    case "AWS::DynamoDB::Table":
    case "AWS::DynamoDB::GlobalTable": {
      const ref = named ?? madeName(resource, 255);
      return { ref, attributes: { Arn: arn("dynamodb", `table/${ref}`) } };
    }
    case "AWS::SQS::Queue": {
      const fifo = resource.properties.FifoQueue === true ? ".fifo" : "";
      const name = named ?? `${madeName(resource, 75)}${fifo}`;
      // The SDK sends to the host of the queue's URL, so this is an address and not AWS's name of the queue.
      return {
        ref: queueUrl(places.sqs, account, name),
        attributes: { Arn: arn("sqs", name), QueueName: name },
      };
    }
    case "AWS::S3::Bucket": {
      const ref = named ?? madeName(resource, 63).toLowerCase();
      return { ref, attributes: { Arn: `arn:aws:s3:::${ref}` } };
    }
    case "AWS::Lambda::Function": {
      const ref = named ?? madeName(resource, 64);
      return { ref, attributes: { Arn: arn("lambda", `function:${ref}`) } };
    }
    case "AWS::ApiGatewayV2::Api":
      return { ref: resource.id, attributes: { ApiEndpoint: places.front, ApiId: resource.id } };
    case "AWS::ApiGatewayV2::Integration":
    case "AWS::ApiGatewayV2::Route":
    case "AWS::ApiGatewayV2::Stage":
    case "AWS::Lambda::EventSourceMapping":
      return { ref: named ?? resource.id, attributes: {} };
    case "AWS::Scheduler::Schedule":
      return {
        ref: named ?? resource.id,
        attributes: { Arn: arn("scheduler", `schedule/default/${resource.id}`) },
      };
    case "AWS::Events::Rule":
      return { ref: named ?? resource.id, attributes: { Arn: arn("events", `rule/${resource.id}`) } };
    case "AWS::IAM::Role":
      // Roles are not run, but what they are named by is passed around.
      return { ref: resource.id, attributes: { Arn: `arn:aws:iam::${account}:role/${resource.id}` } };
    default:
      throw new TemplateError(
        resource,
        "something refers to it and this type has no local counterpart; add it to packages/local/src/template/identity.ts or break the reference",
      );
  }
}

/** The URL of a queue as the local functions see it. */
export function queueUrl(sqs: string, account: string, name: string): string {
  return `${sqs.replace(/\/$/, "")}/${account}/${name}`;
}

/** `<stack>-<logical id>` within `limit` characters; what must go is replaced by a hash, so names stay different. */
function madeName({ stack, id }: Resource, limit: number): string {
  const full = `${stack}-${id}`;
  if (full.length <= limit) return full;
  const hash = createHash("sha256").update(full).digest("hex").slice(0, 8);
  return `${full.slice(0, limit - 9)}-${hash}`;
}
