import { estimate } from "@plantain/core/job/estimate";
import { pricingVersion } from "@plantain/core/model/models";
import { dollars } from "@plantain/core/model/pricing";
import { Hono } from "hono";
import { needs } from "../auth.ts";
import { acceptUrls, JobBody, submissionOf } from "../job-body.ts";
import type { ApiContext, ApiPorts } from "../ports.ts";
import { readBody } from "../read-body.ts";

export function estimateRoutes({ registry, defaultModel, allowLoopback }: ApiPorts): Hono<ApiContext> {
  return new Hono<ApiContext>().post("/", needs("jobs:read"), async (c) => {
    const read = await readBody(c, JobBody);
    if (read instanceof Response) return read;
    const submission = submissionOf(read.body);
    acceptUrls(submission, allowLoopback);
    const { model, warnings, cost } = estimate(registry, submission, defaultModel);
    const { count } = submission;
    return c.json({
      object: "estimate",
      model: model.id,
      count,
      estimated_usd: cost === null ? null : dollars(cost),
      estimated_usd_per_image: cost === null ? null : dollars(cost / count),
      pricing_version: pricingVersion,
      warnings,
    });
  });
}
