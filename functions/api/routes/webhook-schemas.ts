import { Hono } from "hono";
import * as z from "zod";
import { payloadSchemas } from "../../deliver/payload-schema.ts";
import type { ApiContext } from "../ports.ts";
import { problem } from "../problem.ts";

/** JSON Schemas of what receivers get, by type of event. */
export function webhookSchemaRoutes(): Hono<ApiContext> {
  const schemas = new Map(
    Array.from(payloadSchemas, ([type, schema]) => [
      type,
      { title: `Payload of ${type}`, ...z.toJSONSchema(schema) },
    ]),
  );
  return new Hono<ApiContext>()
    .get("/", (c) => c.json({ object: "webhook_schemas", schemas: Object.fromEntries(schemas) }))
    .get("/:type", (c) => {
      const type = c.req.param("type");
      const schema = schemas.get(type);
      if (schema) return c.json(schema);
      return problem(c, "not_found", `There is no event "${type}"; see /v1/webhook-schemas`);
    });
}
