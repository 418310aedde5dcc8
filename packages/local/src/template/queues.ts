import * as z from "zod";
import type { Template } from "./template.ts";

const Queue = z.object({
  QueueName: z.string().optional(),
  FifoQueue: z.boolean().optional(),
  ContentBasedDeduplication: z.boolean().optional(),
  DelaySeconds: z.number().optional(),
  MaximumMessageSize: z.number().optional(),
  MessageRetentionPeriod: z.number().optional(),
  ReceiveMessageWaitTimeSeconds: z.number().optional(),
  RedrivePolicy: z
    .strictObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() })
    .optional(),
  // What SQS takes when the template says nothing.
  VisibilityTimeout: z.number().default(30),
});

export type QueueSpec = {
  readonly name: string;
  readonly arn: string;
  /** Where functions and pollers reach it. */
  readonly url: string;
  readonly visibilitySeconds: number;
  /** In the terms of SetQueueAttributes. */
  readonly attributes: Readonly<Record<string, string>>;
};

/** The template's queues, dead letters included. */
export function readQueues(template: Template): QueueSpec[] {
  return template.read(["AWS::SQS::Queue"], Queue).map(({ resource, properties }) => {
    const { QueueName: _, RedrivePolicy: redrive, ...plain } = properties;
    const given = { ...plain, ...(redrive && { RedrivePolicy: JSON.stringify(redrive) }) };
    return {
      name: template.attribute(resource, "QueueName"),
      arn: template.attribute(resource, "Arn"),
      url: template.ref(resource),
      visibilitySeconds: properties.VisibilityTimeout,
      attributes: Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])),
    };
  });
}
