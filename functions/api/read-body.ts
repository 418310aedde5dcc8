import type { Context } from "hono";
import type * as z from "zod";
import { fieldErrors } from "./field-errors.ts";
import type { ApiContext } from "./ports.ts";
import { problem } from "./problem.ts";

/** The body of a request, parsed; or the problem to answer with, naming every field that is wrong. */
export async function readBody<T>(
  c: Context<ApiContext>,
  schema: z.ZodType<T>,
): Promise<{ body: T } | Response> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    const detail = `Send JSON with \`Content-Type: application/json\`${type ? `, not "${type}"` : ""}`;
    return problem(c, "unsupported_media_type", detail);
  }
  const text = await c.req.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return problem(c, "invalid_json", "The body is not valid JSON; check its quotes, commas and braces");
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? { body: parsed.data } : invalid(c, parsed.error);
}

/** As `readBody`, where no body is an empty object. */
export async function readOptionalBody<T>(
  c: Context<ApiContext>,
  schema: z.ZodType<T>,
): Promise<{ body: T } | Response> {
  return (await c.req.text()) === "" ? { body: schema.parse({}) } : readBody(c, schema);
}

/** The problem that says what is wrong with each field. */
export function invalid(c: Context<ApiContext>, error: z.ZodError): Response {
  const errors = fieldErrors(error.issues);
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return problem(c, "invalid_request", detail, errors);
}
