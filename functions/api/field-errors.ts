import type * as z from "zod";
import type { FieldError } from "./problem.ts";

/** Fields of the design that this version doesn't take yet, with what to do instead. */
const notYet: Readonly<Record<string, string>> = {
  upload_id: "Uploads are not there yet; send the bytes as `data`, or an earlier job's image as `job_id`",
};

function isNotYet(key: string): boolean {
  return Object.hasOwn(notYet, key);
}

/** Zod's issues as the fields of a problem, each with what would be right. */
export function fieldErrors(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly PropertyKey[] = [],
): FieldError[] {
  return issues.flatMap((issue) => fieldError(issue, [...prefix, ...issue.path]));
}

function fieldError(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): FieldError[] {
  const field = fieldName(path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        field: fieldName([...path, key]),
        message:
          (isNotYet(key) ? notYet[key] : undefined) ??
          `Unknown field "${key}"; see docs/api.md for the fields`,
      }));
    case "invalid_union":
      return fieldErrors(closest(issue.errors), path);
    case "invalid_value":
      return [{ field, message: "Not one of the allowed values", allowed: issue.values.map(String) }];
    case "invalid_key":
      return fieldErrors(issue.issues, path);
    default:
      return [{ field, message: issue.message }];
  }
}

/** Of several shapes the one that the input comes closest to: the fewest complaints, a field not taken yet first. */
function closest(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const unknown = branches.map((issues) => issues.filter(({ code }) => code === "unrecognized_keys"));
  const known = unknown.findIndex((issues) =>
    issues.some((issue) => issue.code === "unrecognized_keys" && issue.keys.some(isNotYet)),
  );
  if (known >= 0) return unknown[known] ?? [];
  return branches.toSorted((a, b) => a.length - b.length)[0] ?? [];
}

/** As `images[0].data`. */
export function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "(body)";
  return path
    .map((part, at) => (typeof part === "number" ? `[${part}]` : `${at === 0 ? "" : "."}${String(part)}`))
    .join("");
}
