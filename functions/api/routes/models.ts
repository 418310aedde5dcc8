import { Hono } from "hono";
import { needs } from "../auth.ts";
import { jobSchema } from "../job-schema.ts";
import type { ApiContext, ApiPorts } from "../ports.ts";
import { problem } from "../problem.ts";
import { wireModel, wireRetired } from "../wire-model.ts";

export function modelRoutes({ registry, defaultModel }: ApiPorts): Hono<ApiContext> {
  const routes = new Hono<ApiContext>();

  routes.get("/", needs("jobs:read"), (c) =>
    c.json({
      object: "list",
      data: [...registry.models.map(wireModel), ...registry.retired.map(wireRetired)],
    }),
  );

  routes.get("/:name", needs("jobs:read"), (c) => {
    const name = c.req.param("name");
    const model = registry.find(name);
    if (model)
      return c.json({
        ...wireModel(model),
        job_schema: jobSchema(model, registry.find(defaultModel) === model),
      });
    const retired = registry.retired.find(({ id }) => id === name);
    if (retired) return c.json(wireRetired(retired));
    return problem(c, "model_not_found", `There is no model "${name}"; see /v1/models`);
  });

  return routes;
}
