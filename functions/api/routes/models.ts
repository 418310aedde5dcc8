import { models } from "@plantain/core/model/models";
import { Hono } from "hono";
import type { ApiContext } from "../app.ts";
import { needs } from "../auth.ts";
import { wireModel } from "../wire.ts";

export function modelRoutes(): Hono<ApiContext> {
  return new Hono<ApiContext>().get("/", needs("jobs:read"), (c) =>
    c.json({ object: "list", data: models.map(wireModel) }),
  );
}
