import { maxBatchBytes } from "../http.ts";
import { pageOf } from "../paging.ts";
import { parseMessage } from "../proto-json.ts";
import { BatchRequest } from "../request-fields.ts";
import { jsonBody, ok, type Route, requireKey } from "./route.ts";

/** Batches: created under a model, then read, canceled and deleted by name. */
export const batchRoutes: readonly Route[] = [
  {
    method: "POST",
    path: /^\/(?<version>v1|v1beta)\/models\/(?<model>[^/:]+):batchGenerateContent$/,
    async handle(context) {
      const key = requireKey(context);
      const { model = "", version = "" } = context.params;
      const body = parseMessage(BatchRequest, await jsonBody(context, maxBatchBytes));
      return ok(context.batches.create({ model, version, key, input: body.batch ?? {} }));
    },
  },
  {
    method: "GET",
    path: /^\/(?:v1|v1beta)\/batches$/,
    handle(context) {
      requireKey(context);
      const { page, next } = pageOf(context.batches.list(), context.url.searchParams);
      return ok({ operations: page, ...next });
    },
  },
  {
    method: "GET",
    path: /^\/(?:v1|v1beta)\/(?<name>batches\/[a-z0-9]+)$/,
    handle(context) {
      requireKey(context);
      return ok(context.batches.get(context.params.name ?? ""));
    },
  },
  {
    method: "POST",
    path: /^\/(?:v1|v1beta)\/(?<name>batches\/[a-z0-9]+):cancel$/,
    handle(context) {
      requireKey(context);
      context.batches.cancel(context.params.name ?? "");
      return ok({});
    },
  },
  {
    method: "DELETE",
    path: /^\/(?:v1|v1beta)\/(?<name>batches\/[a-z0-9]+)$/,
    handle(context) {
      requireKey(context);
      context.batches.remove(context.params.name ?? "");
      return ok({});
    },
  },
];
