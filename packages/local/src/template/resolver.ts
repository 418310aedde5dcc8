import type { Assembly, Resource, Stack } from "./assembly.ts";
import { TemplateError } from "./error.ts";
import { type Identity, identify, nameProperty, type Places } from "./identity.ts";

type Resolve = (value: unknown, at: Resource) => unknown;

export type Resolver = {
  /** Replaces every reference in `value` by what it stands for locally. Throws a TemplateError when it cannot. */
  readonly resolve: Resolve;
  /** What `Ref` gives for this resource: its name, or the URL of a queue. */
  readonly ref: (resource: Resource) => string;
  /** What `Fn::GetAtt` gives for this resource. Throws a TemplateError when it has no such attribute. */
  readonly attribute: (resource: Resource, name: string) => string;
};

const noValue = Symbol("AWS::NoValue");

/**
 * Resolves CloudFormation's intrinsic functions within one assembly.
 * Known: Ref, Fn::GetAtt, Fn::Join, Fn::Sub, Fn::Select, Fn::Split, Fn::ImportValue, Fn::GetStackOutput.
 */
export function createResolver(assembly: Assembly, places: Places): Resolver {
  const resolve: Resolve = (value, at) => {
    if (Array.isArray(value))
      return value.map((item) => resolve(item, at)).filter((item) => item !== noValue);
    if (!isRecord(value)) return value;
    const [entry, ...others] = Object.entries(value);
    if (entry !== undefined && others.length === 0 && (entry[0] === "Ref" || entry[0].startsWith("Fn::"))) {
      return intrinsic(entry[0], entry[1], at);
    }
    const resolved = Object.entries(value).map(([key, item]) => [key, resolve(item, at)] as const);
    return Object.fromEntries(resolved.filter(([, item]) => item !== noValue));
  };

  const intrinsic = (name: string, argument: unknown, at: Resource): unknown => {
    const wrong = () => new TemplateError(at, `${name} has unexpected arguments ${JSON.stringify(argument)}`);
    const text = (value: unknown): string => {
      const resolved = resolve(value, at);
      if (typeof resolved !== "string" && typeof resolved !== "number") throw wrong();
      return String(resolved);
    };
    const list = (value: unknown): unknown[] => {
      const resolved = resolve(value, at);
      if (!Array.isArray(resolved)) throw wrong();
      return resolved;
    };
    const pair = (): [unknown, unknown] => {
      if (!Array.isArray(argument) || argument.length !== 2) throw wrong();
      return [argument[0], argument[1]];
    };
    switch (name) {
      case "Ref":
        return ref(text(argument), at);
      case "Fn::GetAtt": {
        const [id, attribute] = typeof argument === "string" ? argument.split(".", 2) : pair();
        return attributeOf(text(id), text(attribute), at);
      }
      case "Fn::Join": {
        const [separator, items] = pair();
        return list(items).map(text).join(text(separator));
      }
      case "Fn::Split": {
        const [separator, whole] = pair();
        return text(whole).split(text(separator));
      }
      case "Fn::Select": {
        const [index, items] = pair();
        const item = list(items)[Number(text(index))];
        if (item === undefined) throw wrong();
        return item;
      }
      case "Fn::Sub":
        return typeof argument === "string"
          ? substitute(argument, {}, at)
          : substituteWith(pair(), at, wrong);
      case "Fn::ImportValue":
        return imported(text(argument), at);
      case "Fn::GetStackOutput": {
        if (!isRecord(argument)) throw wrong();
        return outputOf(text(argument.StackName), text(argument.OutputName), at);
      }
      default:
        throw new TemplateError(
          at,
          `${name} is not known; teach packages/local/src/template/resolver.ts what it means, or do without it`,
        );
    }
  };

  const substituteWith = (
    [template, values]: [unknown, unknown],
    at: Resource,
    wrong: () => TemplateError,
  ) => {
    if (typeof template !== "string" || !isRecord(values)) throw wrong();
    return substitute(template, values, at);
  };

  const substitute = (template: string, values: Record<string, unknown>, at: Resource): string =>
    template.replace(/\$\{(!?)([^}]+)\}/g, (_all, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (Object.hasOwn(values, name)) return String(resolve(values[name], at));
      const [id = name, attribute] = name.split(/\.(.*)/s, 2);
      return String(attribute === undefined ? ref(id, at) : attributeOf(id, attribute, at));
    });

  const ref = (id: string, at: Resource): unknown => {
    const stack = stackOf(at);
    const pseudo: Record<string, unknown> = {
      "AWS::AccountId": places.account,
      "AWS::NoValue": noValue,
      "AWS::Partition": "aws",
      "AWS::Region": places.region,
      "AWS::StackId": `arn:aws:cloudformation:${places.region}:${places.account}:stack/${at.stack}/local`,
      "AWS::StackName": at.stack,
      "AWS::URLSuffix": "amazonaws.com",
    };
    if (Object.hasOwn(pseudo, id)) return pseudo[id];
    const parameter = stack.parameters.get(id);
    if (parameter !== undefined) return parameter;
    if (stack.parameters.has(id)) {
      throw new TemplateError(
        at,
        `parameter "${id}" has no default that is a plain value; give it one in infra`,
      );
    }
    return identityOf(id, at).ref;
  };

  const attributeOf = (id: string, attribute: string, at: Resource): string =>
    attributeAmong(identityOf(id, at), attribute, id, at);

  const identityOf = (id: string, at: Resource): Identity => {
    const target = stackOf(at).resources.get(id);
    if (target === undefined)
      throw new TemplateError(at, `it refers to "${id}", which is not in stack "${at.stack}"`);
    return identity(target);
  };

  const identity = (resource: Resource): Identity => {
    const property = nameProperty[resource.type];
    const name = property === undefined ? undefined : resolve(resource.properties[property], resource);
    return identify(resource, typeof name === "string" ? name : undefined, places);
  };

  const stackOf = (at: Resource): Stack => {
    const stack = assembly.get(at.stack);
    if (stack === undefined) throw new TemplateError(at, `stack "${at.stack}" is not in the cloud assembly`);
    return stack;
  };

  const imported = (exportName: string, at: Resource): unknown => {
    for (const stack of assembly.values()) {
      for (const { value, exportName: candidate } of stack.outputs.values()) {
        if (candidate === undefined) continue;
        const inside = outside(stack, at);
        if (resolve(candidate, inside) === exportName) return resolve(value, inside);
      }
    }
    throw new TemplateError(at, `it imports "${exportName}", which no stack of the cloud assembly exports`);
  };

  const outputOf = (stackName: string, outputName: string, at: Resource): unknown => {
    const stack = assembly.get(stackName);
    const output = stack?.outputs.get(outputName);
    if (stack === undefined || output === undefined) {
      throw new TemplateError(
        at,
        `it reads output "${outputName}" of stack "${stackName}", which is not in the cloud assembly`,
      );
    }
    return resolve(output.value, outside(stack, at));
  };

  return {
    resolve,
    ref: (resource) => identity(resource).ref,
    attribute: (resource, name) => attributeAmong(identity(resource), name, resource.id, resource),
  };
}

function attributeAmong({ attributes }: Identity, name: string, id: string, at: Resource): string {
  const value = attributes[name];
  if (value !== undefined) return value;
  const known = Object.keys(attributes).join(", ") || "none";
  throw new TemplateError(
    at,
    `attribute "${name}" of "${id}" is not known (known: ${known}); add it to packages/local/src/template/identity.ts`,
  );
}

/** The same place for error messages, seen from within another stack. */
function outside(stack: Stack, at: Resource): Resource {
  return { ...at, stack: stack.name };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
