import type { IncomingMessage } from "node:http";
import { type ErrorReply, errorReply, permissionDenied, Refusal } from "./refusal.ts";

/** 400, not 401: how Google answers a key it does not know. */
export function keyInvalid(): ErrorReply {
  const message = "API key not valid. Please pass a valid API key.";
  return errorReply(400, "INVALID_ARGUMENT", message, [
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "API_KEY_INVALID",
      domain: "googleapis.com",
      metadata: { service: "generativelanguage.googleapis.com" },
    },
    { "@type": "type.googleapis.com/google.rpc.LocalizedMessage", locale: "en-US", message },
  ]);
}

/**
 * The API key of a request, from `x-goog-api-key` or `?key=`. Without a list any key is accepted that does not begin with
 * "invalid".
 *
 * @throws Refusal 403 without a key, 400 with a wrong one
 */
export function keyOf(request: IncomingMessage, url: URL, accepted: readonly string[] | null): string {
  const header = request.headers["x-goog-api-key"];
  const key = (typeof header === "string" ? header : url.searchParams.get("key")) ?? "";
  if (key === "") {
    throw permissionDenied(
      "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
    );
  }
  const known = accepted === null ? !key.startsWith("invalid") : accepted.includes(key);
  if (!known) throw new Refusal(keyInvalid());
  return key;
}
