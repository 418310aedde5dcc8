import { readAssembly } from "./assembly.ts";
import { type FunctionSpec, readFunctions } from "./functions.ts";
import { type HttpApiSpec, readHttpApi } from "./http-api.ts";
import type { Places } from "./identity.ts";
import { type QueueSpec, readQueues } from "./queues.ts";
import { type BucketSpec, readBuckets, readTables, type TableSpec } from "./storage.ts";
import { openTemplate } from "./template.ts";
import { type MappingSpec, readMappings, readSchedules, type ScheduleSpec } from "./triggers.ts";

/** All that the local runtime has to create and run, with every reference resolved. */
export type Plan = {
  readonly tables: readonly TableSpec[];
  readonly buckets: readonly BucketSpec[];
  readonly queues: readonly QueueSpec[];
  readonly functions: readonly FunctionSpec[];
  readonly mappings: readonly MappingSpec[];
  readonly schedules: readonly ScheduleSpec[];
  readonly httpApi: HttpApiSpec;
};

/**
 * Reads the cloud assembly in `folder`.
 * Throws a TemplateError, naming stack, resource and remedy, for anything that the local runtime does not know.
 */
export function readPlan(folder: string, places: Places): Plan {
  const template = openTemplate(readAssembly(folder), places);
  const queues = readQueues(template);
  const functions = readFunctions(template);
  return {
    tables: readTables(template),
    buckets: readBuckets(template),
    queues,
    functions,
    mappings: readMappings(template, functions, queues),
    schedules: readSchedules(template, functions),
    httpApi: readHttpApi(template, functions),
  };
}
