import * as z from "zod";
import { invalidArgument, type Refusal } from "./refusal.ts";

/**
 * Building blocks that read JSON as Google's proto parser does: camelCase and snake_case names are both known, null
 * means unset, a lone value stands for a list of one, numbers may be strings, unknown names are refused. The `error`
 * of each schema is the proto type, which `fieldViolations` quotes.
 */
export function message<Shape extends z.ZodRawShape>(name: string, shape: Shape) {
  const fields = z.strictObject(shape, {
    error: (issue) => (issue.code === "invalid_type" ? protoType(name) : undefined),
  });
  return z.preprocess((input) => knownNames(shape, input), fields);
}

/** A repeated field. */
export function repeated<Item extends z.ZodType>(item: Item) {
  const list = z.array(item, { error: "TYPE_MESSAGE" });
  return z.preprocess((input) => (Array.isArray(input) || input === undefined ? input : [input]), list);
}

/** An enum by name; case does not matter to the parser. */
export function enumeration<const Values extends readonly [string, ...string[]]>(
  name: string,
  values: Values,
) {
  const members = z.enum(values, { error: protoType(name) });
  return z.preprocess((input) => (typeof input === "string" ? input.toUpperCase() : input), members);
}

export const text = z.string({ error: "TYPE_STRING" });
export const bool = z.boolean({ error: "TYPE_BOOL" });
export const float = z.preprocess(numberFromString, z.number({ error: "TYPE_FLOAT" }));
export const int32 = z.preprocess(numberFromString, z.int32({ error: "TYPE_INT32" }));

/** A field that the simulator knows by name but never looks into. */
export const opaque = z.unknown();

const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** `bytes`: base64 in either alphabet, padded or not; the schema gives a Buffer. */
export const bytes = text.transform((input, context) => {
  const digits = input.replace(/=+$/, "").length;
  if (base64.test(input) && digits % 4 !== 1) return Buffer.from(input, "base64");
  const reason = `Base64 decoding failed for ${quoted(input)}`;
  context.issues.push({ code: "custom", input, message: "TYPE_BYTES", params: { reason } });
  return z.NEVER;
});

/**
 * Parses `body` as the message `schema`.
 *
 * @throws Refusal 400 with one `fieldViolations` entry for each name or value that Google's parser would refuse.
 */
export function parseMessage<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw badRequest(parsed.error.issues.flatMap(violationsOf));
}

type Violation = { field?: string; description: string };

/** 400 INVALID_ARGUMENT with `google.rpc.BadRequest` details. */
export function badRequest(violations: readonly Violation[]): Refusal {
  return invalidArgument(violations.map((violation) => violation.description).join("\n"), [
    { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: violations },
  ]);
}

/** The refusal of a field name that is not in the message at `path` (already in proto spelling, empty for the root). */
export function unknownName(name: string, path: string): Violation {
  const description = `Invalid JSON payload received. Unknown name ${JSON.stringify(name)}`;
  return path === ""
    ? { description: `${description}: Cannot find field.` }
    : { field: path, description: `${description} at '${path}': Cannot find field.` };
}

function violationsOf(issue: z.core.$ZodIssue): Violation[] {
  const path = protoPath(issue.path);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownName(key, path));
  const reason = issue.code === "custom" ? issue.params?.reason : undefined;
  const why = typeof reason === "string" ? reason : quoted(issue.input);
  return [{ field: path, description: `Invalid value at '${path}' (${issue.message}), ${why}` }];
}

function quoted(value: unknown): string {
  return (JSON.stringify(value) ?? "null").slice(0, 200);
}

function protoType(name: string): string {
  return `type.googleapis.com/google.ai.generativelanguage.v1beta.${name}`;
}

function protoPath(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${snakeCase(String(step))}`))
    .join("")
    .replace(/^\./, "");
}

function knownNames(shape: z.ZodRawShape, input: unknown): unknown {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return input;
  const entries = Object.entries(input).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const camel = camelCase(key);
      return [Object.hasOwn(shape, camel) ? camel : key, value];
    }),
  );
}

function numberFromString(input: unknown): unknown {
  const isNumber = typeof input === "string" && input.trim() !== "" && Number.isFinite(Number(input));
  return isNumber ? Number(input) : input;
}

function camelCase(name: string): string {
  return /[A-Z]/.test(name)
    ? name
    : name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
