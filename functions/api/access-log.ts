import type { Clock } from "@plantain/core/clock";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Log } from "../runtime/log.ts";
import type { ApiContext } from "./ports.ts";

/** One line per request: the route's pattern, never the path or query with what callers put there. */
export function accessLog(log: Log, clock: Clock): MiddlewareHandler<ApiContext> {
  return async (c, next) => {
    const startedAt = clock.now();
    await next();
    // The caller is absent where nobody was let in
    const caller: ApiContext["Variables"]["caller"] | undefined = c.var.caller;
    log.info("Request", {
      requestId: c.var.requestId,
      method: c.req.method,
      route: routePath(c, -1),
      status: c.res.status,
      ms: clock.now() - startedAt,
      ...(caller ? { tenant: caller.tenant, keyId: caller.id } : {}),
    });
  };
}
