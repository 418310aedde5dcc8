import { type ErrorReply, errorReply } from "./refusal.ts";

const advice =
  "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: https://ai.dev/rate-limit. ";

/** One exceeded quota, as Google names it. */
export type Violation = { metric: string; quotaId: string; limit: number; model: string };

/** 429 with Help, QuotaFailure and RetryInfo; `retryDelay` is a duration such as "47s" or "47.434392449s". */
export function quotaExceeded({ metric, quotaId, limit, model }: Violation, retryDelay: string): ErrorReply {
  const quotaMetric = `generativelanguage.googleapis.com/${metric}`;
  const message = `${advice}\n* Quota exceeded for metric: ${quotaMetric}, limit: ${limit}\nPlease retry in ${retryDelay}.`;
  const violation = {
    quotaMetric,
    quotaId,
    quotaDimensions: { location: "global", model },
    // Google leaves a zero out, as proto JSON does with every default.
    ...(limit === 0 ? {} : { quotaValue: String(limit) }),
  };
  return errorReply(429, "RESOURCE_EXHAUSTED", message, [
    {
      "@type": "type.googleapis.com/google.rpc.Help",
      links: [
        {
          description: "Learn more about Gemini API quotas",
          url: "https://ai.google.dev/gemini-api/docs/rate-limits",
        },
      ],
    },
    { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [violation] },
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay },
  ]);
}

/** 429 for the requests of a minute. */
export function minuteExceeded(model: string, limit: number, retryDelay: string): ErrorReply {
  const quotaId = "GenerateRequestsPerMinutePerProjectPerModel";
  return quotaExceeded({ metric: "generate_requests_per_model", quotaId, limit, model }, retryDelay);
}

/** 429 for the requests of a day; the short delay in it is as misleading as Google's. */
export function dayExceeded(model: string, limit: number): ErrorReply {
  const quotaId = "GenerateRequestsPerDayPerProjectPerModel";
  return quotaExceeded({ metric: "generate_requests_per_model_per_day", quotaId, limit, model }, "36.5s");
}

/** 429 without details: bursts, images per minute, or no capacity. */
export function exhausted(): ErrorReply {
  return errorReply(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).");
}
