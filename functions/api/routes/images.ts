import { DomainError } from "@plantain/core/error";
import { Hono } from "hono";
import { needs } from "../auth.ts";
import type { ApiContext, ApiPorts } from "../ports.ts";
import { readJob } from "../read-job.ts";
import { fileName } from "../wire.ts";

export function imageRoutes({ jobs, signedUrls, clock }: ApiPorts): Hono<ApiContext> {
  return new Hono<ApiContext>().get("/:id/images/:index", needs("jobs:read"), async (c) => {
    const { job, result } = await readJob(jobs, c.var.caller.tenant, c.req.param("id"));
    const image = result?.images.find(({ index }) => String(index) === c.req.param("index"));
    if (job.status !== "succeeded" || !image) {
      const why = job.status === "succeeded" ? "has no such image" : `is ${job.status} and has no images`;
      throw new DomainError("image_not_found", `Job "${job.id}" ${why}`);
    }
    const { url } = await signedUrls.sign(image.key, clock.now(), fileName(job, image));
    return c.redirect(url, 302);
  });
}
