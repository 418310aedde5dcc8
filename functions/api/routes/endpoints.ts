import { changeEndpoint } from "@plantain/core/webhook/change-endpoint";
import {
  findEndpoint,
  ping,
  registerEndpoint,
  rotateSecret,
  rotateSigner,
  signerOf,
} from "@plantain/core/webhook/manage-endpoints";
import { recover } from "@plantain/core/webhook/redeliver";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { needs } from "../auth.ts";
import type { ApiContext, ApiPorts } from "../ports.ts";
import { invalid, readBody, readOptionalBody } from "../read-body.ts";
import { acceptEndpointUrl } from "../url-body.ts";
import { EndpointBody, EndpointChange, RotationBody } from "../webhook-body.ts";
import { currentSecret, wireDelivery, wireEndpoint, wireSigner } from "../wire-webhook.ts";

const RecoverQuery = z.strictObject({
  since: z.iso.datetime({ offset: true, error: "Say since when, as 2026-11-01T00:00:00Z" }),
});

/** Recovering and resuming go on for this long in one request; the next one goes on from there. */
const recoverMs = 15_000;

/** The endpoints that a tenant has registered for its webhooks. */
export function endpointRoutes(ports: ApiPorts): Hono<ApiContext> {
  const { endpoints, clock } = ports;
  const routes = new Hono<ApiContext>();
  routes.use(needs("webhooks:admin"));
  const leftMs = () => {
    const until = clock.now() + recoverMs;
    return () => until - clock.now();
  };

  routes.post("/", async (c) => {
    const read = await readBody(c, EndpointBody);
    if (read instanceof Response) return read;
    const { secret = null, ...settings } = read.body;
    await acceptEndpointUrl(settings.url, ports);
    const endpoint = await registerEndpoint(ports, c.var.caller.tenant, { ...settings, secret });
    c.header("location", `/v1/endpoints/${endpoint.id}`);
    return c.json({ ...wireEndpoint(endpoint, clock.now()), secret: currentSecret(endpoint) }, 201);
  });

  routes.get("/", async (c) => {
    const list = await endpoints.list(c.var.caller.tenant);
    return c.json({ object: "list", data: list.map((each) => wireEndpoint(each, clock.now())) });
  });

  routes.get("/:id", async (c) => {
    const endpoint = await findEndpoint(ports, c.var.caller.tenant, c.req.param("id"));
    return c.json(wireEndpoint(endpoint, clock.now()));
  });

  routes.patch("/:id", async (c) => {
    const read = await readBody(c, EndpointChange);
    if (read instanceof Response) return read;
    const { tenant } = c.var.caller;
    const before = await findEndpoint(ports, tenant, c.req.param("id"));
    const { url } = read.body;
    if (url !== undefined && url !== before.url) await acceptEndpointUrl(url, ports);
    const { endpoint, resumed } = await changeEndpoint(ports, tenant, before.id, read.body, leftMs());
    return c.json({
      ...wireEndpoint(endpoint, clock.now()),
      ...(resumed && { resumed: resumed.recovered, complete: resumed.isComplete }),
    });
  });

  routes.delete("/:id", async (c) => {
    await endpoints.remove(await findEndpoint(ports, c.var.caller.tenant, c.req.param("id")));
    return c.body(null, 204);
  });

  routes.post("/:id/rotate", async (c) => {
    const read = await readOptionalBody(c, RotationBody);
    if (read instanceof Response) return read;
    const { secret = null, overlap_seconds: overlap } = read.body;
    const { tenant } = c.var.caller;
    const endpoint = await rotateSecret(ports, tenant, c.req.param("id"), secret, overlap * 1_000);
    return c.json({ ...wireEndpoint(endpoint, clock.now()), secret: currentSecret(endpoint) });
  });

  routes.post("/:id/ping", async (c) => {
    const delivery = await ping(ports, c.var.caller.tenant, c.req.param("id"), onUnsent(ports, c));
    return c.json(wireDelivery(delivery), 202);
  });

  routes.post("/:id/recover", async (c) => {
    const parsed = RecoverQuery.safeParse(c.req.query());
    if (!parsed.success) return invalid(c, parsed.error);
    const endpoint = await findEndpoint(ports, c.var.caller.tenant, c.req.param("id"));
    const { recovered, isComplete } = await recover(ports, endpoint, Date.parse(parsed.data.since), leftMs());
    return c.json({ object: "recovery", recovered, complete: isComplete }, 202);
  });

  return routes;
}

/** The secret that signs for URLs which come with a job and without a secret of their own. */
export function webhookSecretRoutes(ports: ApiPorts): Hono<ApiContext> {
  const { clock } = ports;
  return new Hono<ApiContext>()
    .use(needs("webhooks:admin"))
    .get("/", async (c) => {
      const signer = await signerOf(ports, c.var.caller.tenant);
      return c.json({ ...wireSigner(signer, clock.now()), secret: currentSecret(signer) });
    })
    .post("/rotate", async (c) => {
      const read = await readOptionalBody(c, RotationBody);
      if (read instanceof Response) return read;
      const { secret = null, overlap_seconds: overlap } = read.body;
      const signer = await rotateSigner(ports, c.var.caller.tenant, secret, overlap * 1_000);
      return c.json({ ...wireSigner(signer, clock.now()), secret: currentSecret(signer) });
    });
}

function onUnsent({ log }: ApiPorts, c: Context<ApiContext>) {
  return (error: unknown) =>
    log.warn("Cannot send delivery; the sweep will", { requestId: c.var.requestId, error });
}
