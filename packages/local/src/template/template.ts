import * as z from "zod";
import type { Assembly, Resource } from "./assembly.ts";
import { TemplateError } from "./error.ts";
import type { Places } from "./identity.ts";
import { createResolver, type Resolver } from "./resolver.ts";
import { isIgnored, isSupported, type SupportedType, supportedTypes } from "./resource-types.ts";

/** A resource of the template together with its resolved and parsed properties. */
export type Parsed<T> = { readonly resource: Resource; readonly properties: T };

/** A whole cloud assembly, checked against the closed list of types and readable by type. */
export type Template = Pick<Resolver, "ref" | "attribute"> & {
  /** The folder or file of an asset of the resource's stack, by content hash. */
  asset(resource: Resource, hash: string): string | undefined;
  /**
   * Every resource of these types, parsed. Throws a TemplateError for a property that `schema` neither reads nor
   * the closed list calls meaningless, for an unknown reference, and for a value of the wrong shape.
   */
  read<S extends z.ZodObject>(types: readonly SupportedType[], schema: S): Parsed<z.infer<S>>[];
};

/**
 * Opens an assembly for reading. Throws a TemplateError at the first resource whose type is neither supported nor
 * ignored, or that is created on a condition.
 * @param places where the local endpoints are, which references resolve to
 */
export function openTemplate(assembly: Assembly, places: Places): Template {
  const resources = [...assembly.values()].flatMap((stack) => [...stack.resources.values()]);
  const supported = resources.filter((resource) => !isIgnored(resource.type));
  for (const resource of supported) {
    if (!isSupported(resource.type)) {
      throw new TemplateError(
        resource,
        "this type is neither supported nor ignored; support it, or if it means nothing on one machine list it in packages/local/src/template/resource-types.ts",
      );
    }
    if (resource.condition !== undefined) {
      throw new TemplateError(
        resource,
        `conditions are not evaluated; take condition "${resource.condition}" off it`,
      );
    }
  }
  const { resolve, ref, attribute } = createResolver(assembly, places);
  return {
    ref,
    attribute,
    asset: (resource, hash) => assembly.get(resource.stack)?.assets.get(hash),
    read: (types, schema) =>
      types.flatMap((type) =>
        supported
          .filter((resource) => resource.type === type)
          .map((resource) => ({
            resource,
            properties: parse(resource, supportedTypes[type], schema, resolve),
          })),
      ),
  };
}

function parse<S extends z.ZodObject>(
  resource: Resource,
  ignored: readonly string[],
  schema: S,
  resolve: Resolver["resolve"],
): z.infer<S> {
  const read = Object.entries(resource.properties).filter(([name]) => !ignored.includes(name));
  const unknown = read.find(([name]) => !Object.hasOwn(schema.shape, name));
  if (unknown !== undefined) {
    throw new TemplateError(
      resource,
      `property "${unknown[0]}" is not known; emulate it, or if it means nothing on one machine list it in packages/local/src/template/resource-types.ts`,
    );
  }
  const parsed = schema.safeParse(resolve(Object.fromEntries(read), resource));
  if (!parsed.success) throw new TemplateError(resource, z.prettifyError(parsed.error));
  return parsed.data;
}
