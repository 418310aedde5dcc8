import { isFinished } from "@plantain/core/job/job";
import { submit } from "@plantain/core/job/submit";
import { signerOf } from "@plantain/core/webhook/manage-endpoints";
import { type Context, Hono } from "hono";
import { needs } from "../auth.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { acceptUrls, JobBody, submissionOf } from "../job-body.ts";
import type { ApiContext, ApiPorts } from "../ports.ts";
import { readBody } from "../read-body.ts";
import { pollSeconds, readPreferredWait, waitUntilOver } from "../wait.ts";
import { wireJob } from "../wire.ts";

/** The two ways to submit a job: by `POST`, or under a name of the caller's own by `PUT`. */
export function submissionRoutes(ports: ApiPorts): Hono<ApiContext> {
  return new Hono<ApiContext>()
    .post("/", needs("jobs:write"), (c) =>
      accept(ports, c, readIdempotencyKey(c.req.header("idempotency-key"), "Idempotency-Key")),
    )
    .put("/by-key/:key{.+}", needs("jobs:write"), (c) =>
      accept(ports, c, readIdempotencyKey(c.req.param("key"), "key")),
    );
}

async function accept(ports: ApiPorts, c: Context<ApiContext>, key: string | null): Promise<Response> {
  const { jobs, signedUrls, clock, log } = ports;
  const arrivedAt = clock.now();
  const read = await readBody(c, JobBody);
  if (read instanceof Response) return read;
  const { tenant } = c.var.caller;
  const submission = submissionOf(read.body);
  acceptUrls(submission, ports.allowLoopback);
  if (submission.webhook) await signerOf(ports, tenant); // it signs beside the job's own secret, or instead of it
  const { job, request, replayed } = await submit(ports, tenant, submission, key, (error) =>
    log.warn("Cannot send message; the sweep will", { requestId: c.var.requestId, error }),
  );
  c.header("location", `/v1/jobs/${job.id}`);
  if (replayed) c.header("idempotent-replayed", "true");

  const waitSeconds = readPreferredWait(c.req.header("prefer"));
  if (waitSeconds > 0) {
    await waitUntilOver(ports, job.id, arrivedAt + waitSeconds * 1000);
    // A replayed answer may be that of a job that was deleted since
    const record = await jobs.read(job.id);
    if (record && isFinished(record.job)) {
      c.header("preference-applied", `wait=${waitSeconds}`);
      return c.json(await wireJob(record, signedUrls, clock.now()), 200);
    }
  }
  c.header("retry-after", String(pollSeconds));
  const created = { job, request, result: null, attempts: [] };
  return c.json(await wireJob(created, signedUrls, clock.now()), 202);
}
