import { DomainError } from "@plantain/core/error";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import { accessLog } from "./access-log.ts";
import { auth } from "./auth.ts";
import type { ApiContext, ApiPorts } from "./ports.ts";
import { problem } from "./problem.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { endpointRoutes, webhookSecretRoutes } from "./routes/endpoints.ts";
import { estimateRoutes } from "./routes/estimate.ts";
import { imageRoutes } from "./routes/images.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { jwksRoutes } from "./routes/jwks.ts";
import { modelRoutes } from "./routes/models.ts";
import { submissionRoutes } from "./routes/submissions.ts";
import { webhookSchemaRoutes } from "./routes/webhook-schemas.ts";

/** Lambda takes events of 6 MB; this leaves room for headers and the envelope. */
export const largestBody = 5_600_000;

/** The whole HTTP API over its ports: no environment, no clients, so that tests drive it with `app.request()`. */
export function createApp(ports: ApiPorts): Hono<ApiContext> {
  const app = new Hono<ApiContext>();
  app.use(async (c, next) => {
    c.set("requestId", crypto.randomUUID()); // never the caller's: it goes into the log
    await next();
    c.res.headers.set("x-request-id", c.var.requestId);
  });
  app.use(accessLog(ports.log, ports.clock));
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"] },
      strictTransportSecurity: "max-age=63072000; includeSubDomains",
    }),
  );
  app.use(async (c, next) => {
    await next();
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
  });

  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.route("/.well-known/webhooks", jwksRoutes(ports));

  app.use("/v1/*", auth(ports.keys, ports.clock));
  app.use(
    "/v1/*",
    bodyLimit({
      maxSize: largestBody,
      onError: (c) =>
        problem(c, "body_too_large", `A body has at most ${largestBody} bytes; send smaller images`),
    }),
  );
  app.route("/v1/jobs", submissionRoutes(ports));
  app.route("/v1/jobs", jobRoutes(ports));
  app.route("/v1/jobs", imageRoutes(ports));
  app.route("/v1/models", modelRoutes(ports));
  app.route("/v1/estimate", estimateRoutes(ports));
  app.route("/v1/endpoints", endpointRoutes(ports));
  app.route("/v1/deliveries", deliveryRoutes(ports));
  app.route("/v1/webhook-secret", webhookSecretRoutes(ports));
  app.route("/v1/webhook-schemas", webhookSchemaRoutes());

  app.notFound((c) => {
    const allowed = allowedMethods(app, c.req.path);
    if (allowed.length === 0) return problem(c, "not_found", `There is nothing at "${c.req.path}"`);
    const allow = allowed.join(", ");
    return problem(c, "method_not_allowed", `"${c.req.path}" takes ${allow}`, [], { allow });
  });
  app.onError((error, c) => {
    if (error instanceof DomainError) {
      const { field, allowed, message, code } = error;
      const errors = field === undefined ? [] : [{ field, message, ...(allowed ? { allowed } : {}) }];
      return problem(c, code, message, errors);
    }
    ports.log.error("Cannot answer request", { requestId: c.var.requestId, error });
    return problem(
      c,
      "internal",
      "Something went wrong here; it was logged under this request_id. Try again",
    );
  });
  return app;
}

/** Methods that some route takes at this path. */
function allowedMethods(app: Hono<ApiContext>, path: string): string[] {
  const routes = app.routes.filter(({ method, path: pattern }) => method !== "ALL" && matches(pattern, path));
  return [...new Set(routes.map(({ method }) => method))].sort();
}

function matches(pattern: string, path: string): boolean {
  const parts = pattern.split("/");
  const given = path.split("/");
  return (
    parts.length === given.length && parts.every((part, at) => part.startsWith(":") || part === given[at])
  );
}
