import type { Billed, Failure, FailureCode } from "@plantain/core/job/failure";
import { type GoogleError, readError } from "./google-error.ts";
import { retryAfterMs } from "./retry-after.ts";
import { upstreamOf } from "./upstream.ts";

type Rule = {
  readonly applies: (error: GoogleError) => boolean;
  readonly code: FailureCode;
  readonly message: string;
  readonly billed: Billed;
  /** Whether the time that Google asks for is to be believed. */
  readonly obeysRetryAfter?: boolean;
};

const credits = /credits? (are|is|have been) depleted|billing account|spend(ing)? (cap|limit)/i;
const size = /(payload|request|body).* size exceeds|exceeds the (maximum|limit).*bytes/i;
const signature = /thought.?signature/i;
const place = /location is not supported|not available in your country/i;

/** Read from the top: the first rule that applies counts. */
const rules: readonly Rule[] = [
  {
    applies: ({ status, reasons, message }) =>
      status === 402 ||
      reasons.includes("BILLING_DISABLED") ||
      ([400, 403, 429].includes(status) && credits.test(message)),
    code: "billing",
    message: "Gemini refused the call: the project's billing is not in order or its credits are used up",
    billed: "no",
  },
  {
    applies: ({ status, reasons, message }) =>
      status === 401 ||
      reasons.some((reason) => reason.startsWith("API_KEY_")) ||
      (status === 400 && /API key/i.test(message)),
    code: "provider_configuration",
    message: "Gemini refused the API key",
    billed: "no",
  },
  {
    applies: ({ status, grpcStatus, message }) =>
      grpcStatus === "FAILED_PRECONDITION" || (status < 500 && place.test(message)),
    code: "provider_configuration",
    message: "Gemini doesn't serve this project from where the service runs, or needs its billing enabled",
    billed: "no",
  },
  {
    applies: ({ status }) => status === 403,
    code: "provider_configuration",
    message: "Gemini refused the API key or its project",
    billed: "no",
  },
  {
    applies: ({ status }) => status === 404,
    code: "provider_configuration",
    message: "Gemini doesn't know the model or the address it was asked at",
    billed: "no",
  },
  {
    applies: ({ status, isDailyQuota, hasNoQuota }) => status === 429 && (isDailyQuota || hasNoQuota),
    code: "quota_exhausted",
    message: "The Gemini project's quota is used up",
    billed: "no",
  },
  {
    applies: ({ status }) => status === 429,
    code: "rate_limited",
    message: "Gemini's rate limit is reached",
    billed: "no",
    obeysRetryAfter: true,
  },
  {
    applies: ({ status, message }) => status === 413 || (status === 400 && size.test(message)),
    code: "too_large",
    message: "The request is larger than Gemini takes",
    billed: "no",
  },
  {
    applies: ({ status, message }) => status === 400 && signature.test(message),
    code: "history_rejected",
    message: "Gemini no longer accepts the turns before this one",
    billed: "no",
  },
  {
    applies: ({ status }) => status === 408 || status === 409 || status === 425 || status === 499,
    code: "upstream_error",
    message: "Gemini didn't take the request",
    billed: "no",
    obeysRetryAfter: true,
  },
  {
    applies: ({ status }) => status >= 400 && status < 500,
    code: "invalid_request",
    message: "Gemini refused the request",
    billed: "no",
  },
  {
    applies: ({ status, message }) => status === 503 && /deadline expired/i.test(message),
    code: "overloaded",
    message: "Gemini is overloaded and gave up on the request",
    billed: "unknown",
    obeysRetryAfter: true,
  },
  {
    applies: ({ status }) => status === 503 || status === 529,
    code: "overloaded",
    message: "Gemini is overloaded",
    billed: "no",
    obeysRetryAfter: true,
  },
  {
    applies: ({ status, isJson }) => status === 504 || (status >= 500 && !isJson),
    code: "upstream_error",
    message: "Gemini failed on the way to an answer",
    billed: "unknown", // a gateway spoke: what stands behind it may have finished
    obeysRetryAfter: true,
  },
  {
    applies: ({ status }) => status >= 500,
    code: "upstream_error",
    message: "Gemini failed",
    billed: "no",
    obeysRetryAfter: true,
  },
];

const unexpected = {
  code: "upstream_error",
  message: "Gemini gave an unexpected answer",
  billed: "unknown",
} as const;

export type HttpError = {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
  /** When it came, in epoch milliseconds. */
  readonly at: number;
  /** The API key, which Google quotes in full when it is suspended. */
  readonly secret: string;
};

/** Classifies a status that is no success. */
export function httpFailure({ status, body, retryAfter, at, secret }: HttpError): Failure {
  const error = readError(status, body);
  const rule: Omit<Rule, "applies"> = rules.find(({ applies }) => applies(error)) ?? unexpected;
  const wait = rule.obeysRetryAfter === true ? retryAfterMs(error.retryDelay, retryAfter, at) : undefined;
  const message = error.isJson ? error.message.replaceAll(secret, "[hidden]") : null;
  return {
    code: rule.code,
    message: rule.message,
    billed: rule.billed,
    upstream: upstreamOf({ status, message }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  };
}
