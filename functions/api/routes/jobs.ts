import { turnsOf } from "@plantain/core/conversation/turns";
import { DomainError } from "@plantain/core/error";
import { sha256Hex } from "@plantain/core/hash";
import { isJobId } from "@plantain/core/id";
import { cancel } from "@plantain/core/job/cancel";
import { deleteJob } from "@plantain/core/job/delete-job";
import { isFinished, type Job } from "@plantain/core/job/job";
import { Hono } from "hono";
import * as z from "zod";
import { needs } from "../auth.ts";
import type { ApiContext, ApiPorts } from "../ports.ts";
import { invalid } from "../read-body.ts";
import { readJob } from "../read-job.ts";
import { pollSeconds, readWait, waitUntilOver } from "../wait.ts";
import { jobSummary, wireAttempt, wireJob, wireTurn } from "../wire.ts";

const ListQuery = z.strictObject({
  status: z.enum(["queued", "running", "succeeded", "failed", "canceled"]).optional(),
  cursor: z.string().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

export function jobRoutes(ports: ApiPorts): Hono<ApiContext> {
  const { jobs, signedUrls, clock } = ports;
  const routes = new Hono<ApiContext>();

  routes.get("/", needs("jobs:read"), async (c) => {
    const parsed = ListQuery.safeParse(c.req.query());
    if (!parsed.success) return invalid(c, parsed.error);
    const { status = null, cursor = null, limit } = parsed.data;
    const page = await jobs.list({ tenant: c.var.caller.tenant, status, cursor, limit });
    return c.json({ object: "list", data: page.jobs.map(jobSummary), next_cursor: page.next });
  });

  routes.get("/:id", needs("jobs:read"), async (c) => {
    const arrivedAt = clock.now();
    const { tenant } = c.var.caller;
    const waitSeconds = readWait(c.req.query("wait"), "wait");
    let record = await readJob(jobs, tenant, c.req.param("id"));
    if (waitSeconds > 0 && !isFinished(record.job)) {
      await waitUntilOver(ports, record.job.id, arrivedAt + waitSeconds * 1000);
      record = await readJob(jobs, tenant, record.job.id);
    }
    const body = JSON.stringify(await wireJob(record, signedUrls, clock.now()));
    // Over the whole answer, since a cost may still settle and URLs are signed anew while the job stays as it is
    const etag = `"${sha256Hex(body).slice(0, 32)}"`;
    c.header("etag", etag);
    c.header("cache-control", "private, no-cache");
    const retryAfter = secondsToNextLook(record.job, clock.now());
    if (retryAfter !== null) c.header("retry-after", String(retryAfter));
    if (isKnown(c.req.header("if-none-match"), etag)) return c.body(null, 304);
    return c.body(body, 200, { "content-type": "application/json" });
  });

  routes.post("/:id/cancel", needs("jobs:write"), async (c) => {
    const id = c.req.param("id");
    const { tenant } = c.var.caller;
    if (!isJobId(id)) throw new DomainError("job_not_found", `There is no job "${id}"`);
    await cancel(ports, tenant, id);
    return c.json(await wireJob(await readJob(jobs, tenant, id), signedUrls, clock.now()));
  });

  routes.delete("/:id", needs("jobs:write"), async (c) => {
    const id = c.req.param("id");
    if (!isJobId(id)) throw new DomainError("job_not_found", `There is no job "${id}"`);
    await deleteJob(ports, c.var.caller.tenant, id);
    return c.body(null, 204);
  });

  routes.get("/:id/attempts", needs("jobs:read"), async (c) => {
    const { attempts } = await readJob(jobs, c.var.caller.tenant, c.req.param("id"));
    return c.json({ object: "list", data: attempts.map(wireAttempt) });
  });

  routes.get("/:id/turns", needs("jobs:read"), async (c) => {
    const turns = await turnsOf(jobs, await readJob(jobs, c.var.caller.tenant, c.req.param("id")));
    return c.json({ object: "list", data: turns.map(wireTurn) });
  });

  return routes;
}

/** A queued job that waits for its next attempt needn't be looked at before that. */
function secondsToNextLook(job: Job, at: number): number | null {
  if (isFinished(job)) return null;
  const wait = job.status === "queued" ? Math.ceil((job.runAfter - at) / 1000) : 0;
  return Math.max(pollSeconds, wait);
}

function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}
