import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { TemplateError } from "./error.ts";
import type { Parsed, Template } from "./template.ts";

const LambdaFunction = z.object({
  FunctionName: z.string().optional(),
  Runtime: z.string().startsWith("nodejs", "only Node.js functions run locally"),
  Handler: z.string(),
  Code: z.object({ S3Key: z.string("only code from an asset runs locally") }),
  Environment: z
    .strictObject({ Variables: z.record(z.string(), z.coerce.string()).default({}) })
    .default({ Variables: {} }),
  // What Lambda takes when the template says nothing.
  Timeout: z.number().default(3),
  MemorySize: z.number().default(128),
  ReservedConcurrentExecutions: z.number().optional(),
});

export type FunctionSpec = {
  /** Short and unique: what people call it, as `worker`. */
  readonly name: string;
  /** Its name in the template, which AWS would know it by. */
  readonly physicalName: string;
  readonly arn: string;
  /** The module that exports the handler, absolute. */
  readonly modulePath: string;
  readonly exportName: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly reservedConcurrency: number | undefined;
};

/** The template's functions. Throws a TemplateError when one has no bundle, or two would have the same short name. */
export function readFunctions(template: Template): FunctionSpec[] {
  const specs = template
    .read(["AWS::Lambda::Function"], LambdaFunction)
    .map((parsed) => functionOf(template, parsed));
  for (const [index, { spec, resource }] of specs.entries()) {
    const twin = specs.slice(0, index).find((other) => other.spec.name === spec.name);
    if (twin === undefined) continue;
    throw new TemplateError(
      resource,
      `it would be called "${spec.name}" like "${twin.resource.id}"; rename one`,
    );
  }
  return specs.map(({ spec }) => spec);
}

function functionOf(template: Template, { resource, properties }: Parsed<z.infer<typeof LambdaFunction>>) {
  const hash = properties.Code.S3Key.replace(/^.*\//, "").replace(/\.[^.]*$/, "");
  const folder = template.asset(resource, hash);
  const dot = properties.Handler.lastIndexOf(".");
  const module = properties.Handler.slice(0, dot);
  const modulePath = ["mjs", "js", "cjs"]
    .map((extension) => join(folder ?? "", `${module}.${extension}`))
    .find((path) => folder !== undefined && existsSync(path));
  if (modulePath === undefined) {
    throw new TemplateError(
      resource,
      `its asset "${hash}" holds no module "${module}"; build the functions before the app is synthesized`,
    );
  }
  const spec: FunctionSpec = {
    name: shortName(properties.FunctionName ?? resource.id),
    physicalName: template.ref(resource),
    arn: template.attribute(resource, "Arn"),
    modulePath,
    exportName: properties.Handler.slice(dot + 1),
    environment: properties.Environment.Variables,
    timeoutMs: properties.Timeout * 1000,
    memoryMb: properties.MemorySize,
    reservedConcurrency: properties.ReservedConcurrentExecutions,
  };
  return { spec, resource };
}

/** CDK's logical id `WorkerFunctionAF8A26AF` is called `worker`. */
function shortName(id: string): string {
  return id.replace(/(?<=.)(Function)?[0-9A-F]{8}$/, "").toLowerCase();
}
