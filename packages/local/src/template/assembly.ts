import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as z from "zod";
import type { Place } from "./error.ts";

/** One resource as synthesized; `properties` still hold references. */
export type Resource = Place & {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly condition: string | undefined;
};

export type Output = { readonly value: unknown; readonly exportName: unknown };

export type Stack = {
  readonly name: string;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly outputs: ReadonlyMap<string, Output>;
  /** Template parameters by name; undefined when there is no plain default to use. */
  readonly parameters: ReadonlyMap<string, string | undefined>;
  /** Folders and files of the stack's assets by content hash, absolute. */
  readonly assets: ReadonlyMap<string, string>;
};

/** What `cdk synth` leaves behind: all stacks, nested stages included, by name. */
export type Assembly = ReadonlyMap<string, Stack>;

const Manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      properties: z
        .object({
          templateFile: z.string(),
          stackName: z.string(),
          directoryName: z.string(),
          file: z.string(),
        })
        .partial()
        .optional(),
      dependencies: z.array(z.string()).optional(),
    }),
  ),
});

const Template = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      Condition: z.string().optional(),
    }),
  ),
  Outputs: z
    .record(z.string(), z.object({ Value: z.unknown(), Export: z.object({ Name: z.unknown() }).optional() }))
    .default({}),
  Parameters: z
    .record(z.string(), z.object({ Type: z.string(), Default: z.unknown().optional() }))
    .default({}),
});

const AssetManifest = z.object({
  files: z.record(z.string(), z.object({ source: z.object({ path: z.string().optional() }) })).default({}),
});

/**
 * Reads a cloud assembly from the folder CDK wrote it to.
 * Throws when a file is missing or does not have the shape of a cloud assembly.
 */
export function readAssembly(folder: string): Assembly {
  const manifest = readJson(join(folder, "manifest.json"), Manifest);
  const stacks = new Map<string, Stack>();
  for (const [id, artifact] of Object.entries(manifest.artifacts)) {
    const { templateFile, stackName = id, directoryName } = artifact.properties ?? {};
    if (artifact.type === "cdk:cloud-assembly" && directoryName !== undefined) {
      for (const [name, stack] of readAssembly(join(folder, directoryName))) stacks.set(name, stack);
    }
    if (artifact.type !== "aws:cloudformation:stack" || templateFile === undefined) continue;
    const assetFiles = (artifact.dependencies ?? []).flatMap((dependency) => {
      const other = manifest.artifacts[dependency];
      return other?.type === "cdk:asset-manifest" && other.properties?.file ? [other.properties.file] : [];
    });
    stacks.set(stackName, readStack(stackName, folder, templateFile, assetFiles));
  }
  return stacks;
}

function readStack(name: string, folder: string, templateFile: string, assetFiles: readonly string[]): Stack {
  const template = readJson(join(folder, templateFile), Template);
  const resources = Object.entries(template.Resources).map(
    ([id, { Type: type, Properties: properties, Condition: condition }]) =>
      [id, { stack: name, id, type, properties, condition }] as const,
  );
  const outputs = Object.entries(template.Outputs).map(
    ([id, { Value: value, Export }]) => [id, { value, exportName: Export?.Name }] as const,
  );
  const parameters = Object.entries(template.Parameters).map(
    // The default of an SSM-typed parameter names a parameter in AWS: it is no value.
    ([id, { Type: type, Default: value }]) =>
      [id, typeof value === "string" && !type.startsWith("AWS::SSM::") ? value : undefined] as const,
  );
  const assets = assetFiles.flatMap((file) =>
    Object.entries(readJson(join(folder, file), AssetManifest).files).flatMap(([hash, { source }]) =>
      source.path === undefined ? [] : [[hash, resolve(folder, source.path)] as const],
    ),
  );
  return {
    name,
    resources: new Map(resources),
    outputs: new Map(outputs),
    parameters: new Map(parameters),
    assets: new Map(assets),
  };
}

function readJson<T>(path: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success) throw new Error(`Cannot read "${path}": ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
