import { deliver, type Form } from "../deliver.ts";
import { generate, type Outcome } from "../generate.ts";
import { ClientLeft, maxBodyBytes } from "../http.ts";
import { closeRefused, type LedgerCall } from "../ledger.ts";
import { parseMessage } from "../proto-json.ts";
import { Refusal } from "../refusal.ts";
import { GenerateContentRequest, type GenerateRequest } from "../request-fields.ts";
import { type Context, jsonBody, type Route, requireKey } from "./route.ts";

/** Generating, in one answer or as a stream. */
export const generateRoutes: readonly Route[] = [
  {
    method: "POST",
    path: /^\/(?<version>v1|v1beta)\/models\/(?<model>[^/:]+):generateContent$/,
    handle: (context) => call(context, "unary"),
  },
  {
    method: "POST",
    path: /^\/(?<version>v1|v1beta)\/models\/(?<model>[^/:]+):streamGenerateContent$/,
    handle: (context) => call(context, context.url.searchParams.get("alt") === "sse" ? "sse" : "array"),
  },
];

/** The call is in the ledger from its arrival, and goes on to its end also when the client leaves. */
async function call(context: Context, form: Form): Promise<null> {
  const { world, request, response, url, params } = context;
  const { model = "", version = "" } = params;
  const sent = request.headers["x-goog-api-key"] ?? url.searchParams.get("key") ?? "";
  const entry = world.ledger.open({ model, key: String(sent), stream: form !== "unary", batch: null });
  const started = performance.now();
  const left = new AbortController();
  let resetHere = false;
  response.on("close", () => {
    if (response.writableFinished || resetHere || world.stopping.aborted) return;
    entry.clientLeft = true;
    left.abort();
  });
  try {
    const { outcome, tier } = await answerTo(context, entry, model, version);
    const headers = {
      "server-timing": `gfet4t7; dur=${Math.round(performance.now() - started)}`,
      ...(tier === null ? {} : { "x-gemini-service-tier": tier }),
    };
    const over = AbortSignal.any([world.stopping, left.signal]);
    const reset = () => {
      resetHere = true;
      request.socket.resetAndDestroy();
    };
    await deliver({ response, form, headers, over, reset }, outcome);
  } catch (error) {
    if (!(error instanceof ClientLeft)) throw error;
    entry.finishedAt = new Date().toISOString();
  }
  return null;
}

async function answerTo(
  context: Context,
  entry: LedgerCall,
  model: string,
  version: string,
): Promise<{ outcome: Outcome; tier: string | null }> {
  let request: GenerateRequest;
  let key: string;
  try {
    key = requireKey(context);
    request = parseMessage(GenerateContentRequest, await jsonBody(context, maxBodyBytes));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    closeRefused(entry, error.reply.status);
    const result = { kind: "error" as const, error: error.reply };
    return { outcome: { result, delivery: { kind: "whole" } }, tier: null };
  }
  const outcome = await generate(context.world, { model, version, key, request, entry });
  return { outcome, tier: request.serviceTier?.toLowerCase() ?? null };
}
