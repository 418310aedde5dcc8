import { handle } from "hono/aws-lambda";
import { composeApi } from "../runtime/compose.ts";
import { createApp } from "./app.ts";

// The only file that knows Hono's Lambda adapter, which is deprecated in favour of a package of its own
export const handler = handle(createApp(composeApi(process.env)));
