import type { OutgoingHttpHeaders } from "node:http";
import * as z from "zod";
import type { Outcome } from "../lambda/execution-environment.ts";

/** What goes back to the client. */
export type Answer = {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
};

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const FunctionResponse = z.object({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), scalar).nullish(),
  cookies: z.array(z.string()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/** An answer of the gateway itself. */
export function gatewayAnswer(status: number, message: string): Answer {
  return jsonAnswer(status, { message });
}

/** A JSON body. */
export function jsonAnswer(status: number, body: unknown): Answer {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/**
 * What API Gateway makes of the function's outcome (payload format 2.0): its answer, a bare JSON value as a 200, and
 * 500 or 503 when the function failed or was throttled.
 */
export function answerOf(outcome: Outcome): Answer {
  if (!outcome.ok) {
    switch (outcome.error.errorType) {
      case "TooManyRequestsException":
        return gatewayAnswer(503, "Service Unavailable");
      case "RequestTooLargeException":
        return gatewayAnswer(413, "Request Entity Too Large");
      default:
        return gatewayAnswer(500, "Internal Server Error");
    }
  }
  const result: unknown = JSON.parse(outcome.result);
  if (typeof result !== "object" || result === null || !("statusCode" in result))
    return jsonAnswer(200, result);
  const response = FunctionResponse.safeParse(result);
  if (!response.success) return gatewayAnswer(500, "Internal Server Error");
  const { statusCode, headers, cookies, body, isBase64Encoded } = response.data;
  const entries = Object.entries(headers ?? {}).map(
    ([name, value]) => [name.toLowerCase(), String(value)] as const,
  );
  return {
    status: statusCode,
    headers: {
      "content-type": "text/plain;charset=UTF-8",
      ...Object.fromEntries(entries),
      ...(cookies?.length ? { "set-cookie": cookies } : {}),
    },
    body: Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8"),
  };
}
