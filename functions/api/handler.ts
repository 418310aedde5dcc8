import type { LambdaContext, LambdaEvent } from "hono/aws-lambda";
import { handle } from "hono/aws-lambda";
import { composeApi } from "../runtime/compose-api.ts";
import { createApp } from "./app.ts";

// The only file that knows Hono's Lambda adapter, which is deprecated in favour of a package of its own
const answer = handle(createApp(composeApi(process.env)));

/** API Gateway decodes the path, and the adapter takes it for a URL's: so it is encoded again. */
export function handler(event: LambdaEvent, context: LambdaContext) {
  if (!("rawPath" in event)) return answer(event, context);
  const rawPath = event.rawPath.split("/").map(encodeURIComponent).join("/");
  return answer({ ...event, rawPath }, context);
}
