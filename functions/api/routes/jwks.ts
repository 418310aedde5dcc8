import { validAt } from "@plantain/core/webhook/endpoint";
import { isEndpointId } from "@plantain/core/webhook/ids";
import { jsonWebKey } from "@plantain/core/webhook/signature";
import { Hono } from "hono";
import type { ApiContext, ApiPorts } from "../ports.ts";
import { problem } from "../problem.ts";

/** The public keys of an endpoint, with which anybody may verify `v1a` signatures: it needs no API key. */
export function jwksRoutes({ endpoints, clock }: ApiPorts): Hono<ApiContext> {
  return new Hono<ApiContext>().get("/:id/jwks.json", async (c) => {
    const id = c.req.param("id");
    const published = isEndpointId(id) ? await endpoints.publicKeys(id) : [];
    const keys = validAt(published, clock.now()).map(({ publicKey }) => jsonWebKey(publicKey));
    if (keys.length === 0) return problem(c, "endpoint_not_found", `There is no endpoint "${id}"`);
    c.header("cache-control", "public, max-age=300");
    return c.json({ keys });
  });
}
