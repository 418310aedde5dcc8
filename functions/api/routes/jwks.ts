import { isEndpointId } from "@plantain/core/webhook/ids";
import { jsonWebKey } from "@plantain/core/webhook/signature";
import { Hono } from "hono";
import type { ApiContext, ApiPorts } from "../ports.ts";
import { problem } from "../problem.ts";

/** The public key of an endpoint, with which anybody may verify `v1a` signatures: it needs no API key. */
export function jwksRoutes({ endpoints }: ApiPorts): Hono<ApiContext> {
  return new Hono<ApiContext>().get("/:id/jwks.json", async (c) => {
    const id = c.req.param("id");
    const publicKey = isEndpointId(id) ? await endpoints.publicKey(id) : null;
    if (publicKey === null) return problem(c, "endpoint_not_found", `There is no endpoint "${id}"`);
    c.header("cache-control", "public, max-age=300");
    return c.json({ keys: [jsonWebKey(publicKey)] });
  });
}
