import * as z from "zod";
import type { Resource } from "./assembly.ts";
import { TemplateError } from "./error.ts";
import type { FunctionSpec } from "./functions.ts";
import type { QueueSpec } from "./queues.ts";
import type { Template } from "./template.ts";

const EventSourceMapping = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: z.number().default(10),
  MaximumBatchingWindowInSeconds: z.number().default(0),
  FunctionResponseTypes: z.array(z.literal("ReportBatchItemFailures")).default([]),
  ScalingConfig: z.strictObject({ MaximumConcurrency: z.number().optional() }).default({}),
  Enabled: z.boolean().default(true),
});

export type MappingSpec = {
  readonly queue: QueueSpec;
  readonly function: FunctionSpec;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly reportsFailures: boolean;
  readonly maxConcurrency: number;
};

/** AWS would start up to 1,250 where the template sets no limit; one machine is given this many. */
const defaultConcurrency = 4;

const Target = z.strictObject({
  Arn: z.string(),
  RoleArn: z.string().optional(),
  Input: z.string().optional(),
  Id: z.string().optional(),
  // A tick that fails is not repeated locally: the next one does its work.
  RetryPolicy: z.unknown().optional(),
});

const Schedule = z.object({
  Name: z.string().optional(),
  ScheduleExpression: z.string(),
  State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
  Target,
});

const Rule = z.object({
  Name: z.string().optional(),
  ScheduleExpression: z.string(),
  State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
  Targets: z.array(Target),
});

export type ScheduleSpec = {
  readonly function: FunctionSpec;
  readonly everySeconds: number;
  /** The schedule's constant input; without it the function gets what the scheduler describes itself with. */
  readonly input: string | undefined;
  readonly source: "aws.scheduler" | "aws.events";
  readonly arn: string;
};

/**
 * The queues that functions work off. Throws a TemplateError for a source that is no queue of the template, and for
 * what AWS refuses too: a visibility timeout below the function's, or more than 10 messages without a window.
 */
export function readMappings(
  template: Template,
  functions: readonly FunctionSpec[],
  queues: readonly QueueSpec[],
): MappingSpec[] {
  const mappings = template.read(["AWS::Lambda::EventSourceMapping"], EventSourceMapping);
  return mappings.flatMap(({ resource, properties }) => {
    const queue = queues.find(({ arn }) => arn === properties.EventSourceArn);
    if (queue === undefined) {
      throw new TemplateError(
        resource,
        `"${properties.EventSourceArn}" is no queue of the template; only queues are polled`,
      );
    }
    const target = functionNamed(functions, properties.FunctionName, resource);
    if (queue.visibilitySeconds * 1000 < target.timeoutMs) {
      throw new TemplateError(
        resource,
        `queue visibility timeout: ${queue.visibilitySeconds} seconds is less than function timeout: ${target.timeoutMs / 1000} seconds, which AWS refuses; raise it to at least six times the latter`,
      );
    }
    if (properties.BatchSize > 10 && properties.MaximumBatchingWindowInSeconds === 0) {
      throw new TemplateError(
        resource,
        "a batch of more than 10 needs a batching window, or AWS refuses it; set one",
      );
    }
    if (!properties.Enabled) return [];
    return [
      {
        queue,
        function: target,
        batchSize: properties.BatchSize,
        windowSeconds: properties.MaximumBatchingWindowInSeconds,
        reportsFailures: properties.FunctionResponseTypes.length > 0,
        maxConcurrency: properties.ScalingConfig.MaximumConcurrency ?? defaultConcurrency,
      },
    ];
  });
}

/** What runs by the clock. Throws a TemplateError for anything but `rate(…)`. */
export function readSchedules(template: Template, functions: readonly FunctionSpec[]): ScheduleSpec[] {
  const schedules = template.read(["AWS::Scheduler::Schedule"], Schedule).map(({ resource, properties }) => ({
    resource,
    properties: { ...properties, Targets: [properties.Target] },
    source: "aws.scheduler" as const,
  }));
  const rules = template
    .read(["AWS::Events::Rule"], Rule)
    .map((rule) => ({ ...rule, source: "aws.events" as const }));
  return [...schedules, ...rules].flatMap(({ resource, properties, source }) => {
    const everySeconds = secondsOf(properties.ScheduleExpression, resource);
    if (properties.State === "DISABLED") return [];
    return properties.Targets.map(({ Arn, Input: input }) => ({
      function: functionNamed(functions, Arn, resource),
      everySeconds,
      input,
      source,
      arn: template.attribute(resource, "Arn"),
    }));
  });
}

function secondsOf(expression: string, resource: Resource): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const seconds = { minute: 60, hour: 3600, day: 86_400 };
  if (unit !== "minute" && unit !== "hour" && unit !== "day") {
    throw new TemplateError(resource, `"${expression}" does not run locally; use rate(…)`);
  }
  return Number(count) * seconds[unit];
}

/** Finds a function by its name or ARN. */
export function functionNamed(
  functions: readonly FunctionSpec[],
  name: string,
  resource: Resource,
): FunctionSpec {
  const found = functions.find((each) => each.physicalName === name || each.arn === name);
  if (found === undefined) throw new TemplateError(resource, `"${name}" is no function of the template`);
  return found;
}
