import { isJobId } from "@plantain/core/id";
import { type Delivery, deliveryStatuses, isKept, keptSince } from "@plantain/core/webhook/delivery";
import { type Destination, isDestination, jobEventId } from "@plantain/core/webhook/ids";
import { findDelivery, redeliver } from "@plantain/core/webhook/redeliver";
import { Hono } from "hono";
import * as z from "zod";
import { needs } from "../auth.ts";
import type { ApiContext, ApiPorts } from "../ports.ts";
import { invalid } from "../read-body.ts";
import { wireDelivery, wireDeliveryRecord } from "../wire-webhook.ts";

const ListQuery = z
  .strictObject({
    job: z.string().refine(isJobId, "Not a job id, which looks like job_01h…").optional(),
    endpoint: z
      .string()
      .refine(
        isDestination,
        "Not an endpoint id, which looks like ep_01h…, nor inline for the jobs' own URLs",
      )
      .optional(),
    status: z.enum(deliveryStatuses).optional(),
    cursor: z.string().min(1).optional(),
    limit: z.coerce.number().int().min(1).max(100).default(20),
  })
  .refine(({ job, endpoint }) => job !== undefined || endpoint !== undefined, {
    path: ["endpoint"],
    message: "Say of which job or endpoint; inline for the jobs' own URLs",
  });

/** Pages of a filtered list are looked through up to here before the answer says "go on from there". */
const mostPages = 10;

/** The log of what was delivered, or not yet, and the way to deliver it again. */
export function deliveryRoutes(ports: ApiPorts): Hono<ApiContext> {
  const { deliveries, clock } = ports;
  const routes = new Hono<ApiContext>();
  routes.use(needs("webhooks:admin"));

  routes.get("/", async (c) => {
    const parsed = ListQuery.safeParse(c.req.query());
    if (!parsed.success) return invalid(c, parsed.error);
    const { job, endpoint, status, cursor = null, limit } = parsed.data;
    const { tenant } = c.var.caller;
    const fits = (each: Delivery) =>
      each.tenant === tenant &&
      (status === undefined || each.status === status) &&
      (endpoint === undefined || each.destination === endpoint);
    if (job !== undefined) {
      const kept = (await deliveries.ofEvent(jobEventId(job))).filter((each) => isKept(each, clock.now()));
      return c.json({ object: "list", data: kept.filter(fits).map(wireDelivery), next_cursor: null });
    }
    const page = await listOf(ports, { tenant, destination: endpoint ?? "inline", cursor, limit }, fits);
    return c.json({ object: "list", data: page.found.map(wireDelivery), next_cursor: page.next });
  });

  routes.get("/:id", async (c) => {
    return c.json(wireDeliveryRecord(await findDelivery(ports, c.var.caller.tenant, c.req.param("id"))));
  });

  routes.post("/:id/redeliver", async (c) => {
    return c.json(wireDelivery(await redeliver(ports, c.var.caller.tenant, c.req.param("id"))), 202);
  });

  return routes;
}

type Listing = { tenant: string; destination: Destination; cursor: string | null; limit: number };

/** What fits of some pages: a page may be short, and says where to go on. */
async function listOf(
  { deliveries, clock }: ApiPorts,
  { tenant, destination, cursor, limit }: Listing,
  fits: (delivery: Delivery) => boolean,
): Promise<{ found: Delivery[]; next: string | null }> {
  const found: Delivery[] = [];
  const since = keptSince(clock.now());
  let next = cursor;
  for (let page = 0; page < mostPages && found.length < limit; page += 1) {
    const query = { tenant, destination, since, cursor: next, limit: limit - found.length };
    const came = await deliveries.ofDestination(query);
    found.push(...came.deliveries.filter(fits));
    next = came.next;
    if (next === null) break;
  }
  return { found, next };
}
