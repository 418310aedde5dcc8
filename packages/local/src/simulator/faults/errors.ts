import { keyInvalid } from "../keys.ts";
import { modelNotFoundMessage } from "../models.ts";
import { badRequest, unknownName } from "../proto-json.ts";
import { dayExceeded, exhausted, quotaExceeded } from "../quota-errors.ts";
import { type ErrorReply, errorReply, internalError } from "../refusal.ts";
import type { Fault, Scene } from "./fault.ts";

const depleted =
  "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.";

const badGateway = `<html><head><title>502 Bad Gateway</title></head>
<body><h1>Error: Server Error</h1>
<h2>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.</h2>
</body></html>
`;

/** Answers with an HTTP error status. */
export const errorFaults: readonly Fault[] = [
  error("KEY_INVALID", "400: the API key is not valid", keyInvalid),
  error("KEY_LEAKED", "403: the API key was reported as leaked", () =>
    errorReply(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
  ),
  {
    ...error(
      "FIELD",
      "400: a field of the request is unknown",
      (_, argument) => badRequest([unknownName(argument ?? "foo", "generation_config")]).reply,
    ),
    argument: "the field's name",
  },
  {
    ...error("INVALID_ARGUMENT", "400: the request is wrong in some other way", (_, argument) =>
      errorReply(400, "INVALID_ARGUMENT", argument ?? "Request contains an invalid argument."),
    ),
    argument: "the message",
  },
  error("LOCATION", "400 FAILED_PRECONDITION: the API is not offered at this location", () =>
    errorReply(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
  ),
  error("MODEL_GONE", "404: the model was shut down", ({ model, version }) =>
    errorReply(404, "NOT_FOUND", modelNotFoundMessage(model, version, "generateContent")),
  ),
  {
    ...error("RATE_LIMIT", "429: quota of the minute, with RetryInfo", ({ model }, argument) =>
      quotaExceeded(
        {
          metric: "generate_content_paid_tier_input_token_count",
          quotaId: "GenerateContentPaidTierInputTokensPerModelPerMinute",
          limit: 4_000_000,
          model,
        },
        argument ?? "47.434392449s",
      ),
    ),
    argument: 'the retryDelay, e.g. "47s"',
  },
  error("RATE_LIMIT_DAY", "429: quota of the day; its RetryInfo misleads", ({ model }) =>
    dayExceeded(model, 250),
  ),
  error("RATE_LIMIT_SHORT", "429: exhausted, without details", exhausted),
  error("FREE_TIER_ZERO", "429: the free tier's limit for this model is 0", ({ model }) =>
    quotaExceeded(
      {
        metric: "generate_content_free_tier_requests",
        quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        limit: 0,
        model,
      },
      "17s",
    ),
  ),
  error("BILLING", "429: prepaid credits are used up", () => errorReply(429, "RESOURCE_EXHAUSTED", depleted)),
  error("BILLING_402", "402: prepaid credits are used up", () =>
    errorReply(402, "RESOURCE_EXHAUSTED", depleted),
  ),
  error("INTERNAL", "500: internal error", internalError),
  error("OVERLOADED", "503: the model is overloaded", () =>
    errorReply(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
  ),
  error("UNAVAILABLE", "503: the service is unavailable", () =>
    errorReply(503, "UNAVAILABLE", "The service is currently unavailable."),
  ),
  error("UNAVAILABLE_DEADLINE", "503: the deadline expired inside Google", () =>
    errorReply(503, "UNAVAILABLE", "Deadline expired before operation could complete."),
  ),
  {
    ...error("DEADLINE", "504: the deadline passed after the model had worked", () =>
      errorReply(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    ),
    billed: true,
  },
  error("HTML_502", "502: an HTML page of the front end", () => ({ status: 502, body: badGateway })),
];

function error(
  name: string,
  what: string,
  reply: (scene: Scene, argument: string | null) => ErrorReply,
): Fault {
  return { name, what, billed: false, effect: { kind: "error", error: reply } };
}
