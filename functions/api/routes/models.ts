import { models } from "@plantain/core/model/models";
import { Hono } from "hono";
import { needs } from "../auth.ts";
import type { ApiContext } from "../ports.ts";
import { wireModel } from "../wire.ts";

export function modelRoutes(): Hono<ApiContext> {
  return new Hono<ApiContext>().get("/", needs("jobs:read"), (c) =>
    c.json({ object: "list", data: models.map(wireModel) }),
  );
}
