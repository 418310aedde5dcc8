import type { Limits } from "@plantain/core/capacity/limits";
import { memoryBudget } from "@plantain/core/job/memory-budget";
import type { Answer } from "@plantain/core/job/ports";
import { runAttempt } from "@plantain/core/job/run-attempt";
import { issueKey, keyEntropyBytes, type Scope } from "@plantain/core/tenant/key";
import { announcing } from "@plantain/core/webhook/announce";
import { RequestError } from "@plantain/http/failure";
import { urlChecker } from "@plantain/http/url-checker";
import { manualClock, seededRandom } from "@plantain/memory/clock";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryDeliveryQueue } from "@plantain/memory/delivery-queue";
import { memoryDownloader } from "@plantain/memory/downloader";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { memoryJobs } from "@plantain/memory/jobs";
import { memoryKeys } from "@plantain/memory/keys";
import { scriptedModel } from "@plantain/memory/model";
import { memoryObjects } from "@plantain/memory/objects";
import { memoryPools } from "@plantain/memory/pools";
import { memoryQueue } from "@plantain/memory/queue";
import { sampleLimits, samplePolicy, sampleRegistry } from "@plantain/memory/samples";
import { memorySignedUrls } from "@plantain/memory/signed-urls";
import { expect } from "vitest";
import * as z from "zod";
import { jsonLog } from "../runtime/log.ts";
import { createApp } from "./app.ts";

export const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  request_id: z.string(),
  errors: z
    .array(
      z.strictObject({ field: z.string(), message: z.string(), allowed: z.array(z.string()).optional() }),
    )
    .optional(),
});
export const Job = z.looseObject({
  id: z.string(),
  status: z.string(),
  attempts: z.number(),
  warnings: z.array(z.string()),
  images: z.array(z.looseObject({ url: z.string(), width: z.number() })),
  cost: z.looseObject({ usd: z.string().nullable(), final: z.boolean(), unknown_attempts: z.number() }),
  error: z.looseObject({ code: z.string(), billed: z.boolean().nullable() }).nullable(),
  last_error: z.looseObject({ code: z.string() }).nullable(),
});
export const Page = z.looseObject({
  data: z.array(z.looseObject({ id: z.string(), status: z.string() })),
  next_cursor: z.string().nullable(),
});

const allScopes: Scope[] = ["jobs:read", "jobs:write", "webhooks:admin"];
// A grey 1x1 PNG
export const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

/**
 * The API on in-memory ports, with room for everybody unless said otherwise, with a caller, and a worker that does as it
 * is told. `hosts` has what name servers say of a host: its addresses, or none; all others are public.
 */
export async function world(about: { limits?: Limits } = {}) {
  const clock = manualClock();
  const lines: string[] = [];
  const objects = memoryObjects();
  const downloader = memoryDownloader();
  const deliveries = memoryDeliveries();
  const endpoints = memoryEndpoints(deliveries);
  const deliveryQueue = memoryDeliveryQueue(clock);
  const hosts = new Map<string, readonly string[]>();
  const resolve = async (host: string) => {
    const addresses = hosts.get(host) ?? ["93.184.215.14"];
    if (addresses.length === 0) throw new RequestError("dns_failed", `Cannot find "${host}"`);
    return addresses.map((address) => ({ address, family: 4 }));
  };
  const announce = { endpoints, deliveryQueue, policy: samplePolicy };
  const ports = {
    jobs: announcing(memoryJobs(deliveries), announce, () => undefined),
    endpoints,
    deliveries,
    deliveryQueue,
    allowLoopback: false,
    checkUrl: urlChecker({ resolve, allowLoopback: false }),
    queue: memoryQueue(clock),
    objects,
    signedUrls: memorySignedUrls,
    keys: memoryKeys(),
    clock,
    random: seededRandom(),
    policy: samplePolicy,
    pools: memoryPools(),
    limits: about.limits ?? sampleLimits,
    registry: sampleRegistry,
    defaultModel: "gemini-nano-banana-2.1",
    log: jsonLog("api", (line) => lines.push(line)),
  };
  const app = createApp(ports);
  const random = seededRandom(9);
  const keyFor = async (tenant: string, scopes = allScopes) => {
    const { key, text } = issueKey({ tenant, scopes, at: clock.now() }, random.bytes(keyEntropyBytes));
    await ports.keys.put(key);
    return text;
  };
  const key = await keyFor("acme");
  const call = (
    method: string,
    path: string,
    init: { body?: unknown; headers?: Record<string, string>; key?: string } = {},
  ) =>
    app.request(path, {
      method,
      headers: {
        authorization: `Bearer ${init.key ?? key}`,
        ...(init.body === undefined ? {} : { "content-type": "application/json" }),
        ...init.headers,
      },
      ...(init.body === undefined
        ? {}
        : { body: typeof init.body === "string" ? init.body : JSON.stringify(init.body) }),
    });
  const submit = async (body: unknown = { prompt: "A banana" }, headers: Record<string, string> = {}) => {
    const response = await call("POST", "/v1/jobs", { body, headers });
    expect(response.status, await response.clone().text()).toBe(202);
    return { response, job: Job.parse(await response.json()) };
  };
  const work = async (...answers: [Answer, ...Answer[]]) => {
    const received = ports.queue.receive(60_000);
    if (!received) throw new Error("No message is visible");
    await runAttempt(
      {
        ...ports,
        model: scriptedModel(...answers),
        downloader,
        memory: memoryBudget(1e9),
      },
      received.jobId,
      received.message,
      () => 600_000,
    );
  };
  const read = async (id: string) => Job.parse(await (await call("GET", `/v1/jobs/${id}`)).json());
  return { app, ports, downloader, hosts, clock, lines, key, keyFor, call, submit, work, read };
}

export async function problemOf(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = Problem.parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}
