/** Why a call or a job ended without its image. A closed list: the wire, the retry budget and the docs follow it. */
export type FailureCode =
  | "content_blocked.prompt"
  | "content_blocked.output"
  | "content_blocked.recitation"
  | "content_blocked.person"
  | "no_image"
  | "text_only"
  | "rate_limited"
  | "quota_exhausted"
  | "billing"
  | "provider_configuration"
  | "overloaded"
  | "upstream_error"
  | "timeout"
  | "invalid_request"
  | "too_large"
  | "input_unavailable"
  | "input_fetch_failed"
  | "history_rejected"
  | "deadline_exceeded"
  | "internal";

/** Whether Google charges for a call: `unknown` when it may have worked on after we stopped listening. */
export type Billed = "yes" | "no" | "unknown";

/** What Gemini itself said, for the user's eyes. */
export type Upstream = {
  readonly status?: number;
  readonly finishReason?: string;
  readonly message?: string;
};

export type Failure = {
  readonly code: FailureCode;
  readonly message: string;
  readonly billed: Billed;
  readonly upstream?: Upstream;
  /** How long Gemini asked us to stay away. */
  readonly retryAfterMs?: number;
};

export type FailureClass = {
  /** Retries that one job may spend on this failure; the deadline is the only bound where it says so. */
  readonly retries: number | "until_deadline";
  /** Wait before the first retry; doubled on each further one up to `longestWaitMs`. */
  readonly waitMs: number;
  readonly longestWaitMs: number;
  /**
   * What it says of the model under this key: nothing can be had there for a while, there is less to be had, or it works.
   */
  readonly gate: "closes" | "tightens" | "opens";
  /** Whether the same request may succeed as a new job. */
  readonly retryable: boolean;
  /** What the user can do. */
  readonly hint: string;
};

const never = { retries: 0, waitMs: 0, longestWaitMs: 0, gate: "opens" } as const;

/** One row per failure: how often it is retried and what the user is told. */
export const failureClasses: Readonly<Record<FailureCode, FailureClass>> = {
  "content_blocked.prompt": {
    ...never,
    retryable: false,
    hint: "Rephrase the prompt or use other reference images: Gemini refused them before it drew anything",
  },
  "content_blocked.output": {
    ...never,
    retryable: true,
    hint: "Gemini withheld what it drew. A milder prompt is likelier to pass; the same one may, another time",
  },
  "content_blocked.recitation": {
    ...never,
    retryable: false,
    hint: "Ask for something less close to an existing work",
  },
  "content_blocked.person": {
    ...never,
    retryable: false,
    hint: "Leave out real or identifiable people",
  },
  no_image: {
    retries: 2,
    waitMs: 1_000,
    longestWaitMs: 4_000,
    gate: "opens",
    retryable: true,
    hint: "Rephrase the prompt so that it plainly asks for a picture",
  },
  text_only: {
    retries: 1,
    waitMs: 1_000,
    longestWaitMs: 1_000,
    gate: "opens",
    retryable: true,
    hint: "Gemini answered in words; its answer is in the error's message. Ask for a picture more plainly",
  },
  rate_limited: {
    retries: "until_deadline",
    waitMs: 2_000,
    longestWaitMs: 60_000,
    gate: "closes",
    retryable: true,
    hint: "Gemini's rate limit is reached; submit more slowly or ask Google for a higher limit",
  },
  quota_exhausted: {
    retries: "until_deadline",
    waitMs: 300_000,
    longestWaitMs: 900_000,
    gate: "closes",
    retryable: true,
    hint: "The daily quota of the Gemini project is used up; it returns at midnight Pacific time",
  },
  billing: {
    retries: "until_deadline",
    waitMs: 60_000,
    longestWaitMs: 300_000,
    gate: "closes",
    retryable: true,
    hint: "The operator has to put the Gemini project's billing in order",
  },
  provider_configuration: {
    retries: "until_deadline",
    waitMs: 60_000,
    longestWaitMs: 300_000,
    gate: "closes",
    retryable: true,
    hint: "The operator has to check the Gemini API key, its project and the model's name",
  },
  overloaded: {
    retries: 8,
    waitMs: 2_000,
    longestWaitMs: 60_000,
    gate: "tightens",
    retryable: true,
    hint: "Gemini is overloaded; submit the job again later",
  },
  upstream_error: {
    retries: 4,
    waitMs: 2_000,
    longestWaitMs: 30_000,
    gate: "opens",
    retryable: true,
    hint: "Gemini failed repeatedly; submit the job again later",
  },
  timeout: {
    retries: 1,
    waitMs: 2_000,
    longestWaitMs: 2_000,
    gate: "tightens",
    retryable: true,
    hint: "Gemini took too long; a smaller image or a simpler prompt is quicker",
  },
  invalid_request: {
    ...never,
    retryable: false,
    hint: "Gemini refused the request as malformed; its own words are in `upstream.message`",
  },
  too_large: { ...never, retryable: false, hint: "Send fewer or smaller reference images" },
  input_unavailable: {
    ...never,
    retryable: false,
    hint: "A reference image can't be had: the message says why. Submit again with the image itself",
  },
  input_fetch_failed: {
    retries: 4,
    waitMs: 2_000,
    longestWaitMs: 30_000,
    gate: "opens",
    retryable: true,
    hint: "The server of a reference image's URL failed repeatedly. Submit again later, or send the image itself",
  },
  history_rejected: {
    retries: 1,
    waitMs: 0,
    longestWaitMs: 0,
    gate: "opens",
    retryable: true,
    hint: "Gemini no longer accepts the turns before this one; give the earlier image as a reference image instead",
  },
  deadline_exceeded: {
    ...never,
    retryable: true,
    hint: "Submit the job again, with a later deadline if it has to wait for quota",
  },
  internal: {
    ...never,
    retryable: true,
    hint: "This is a fault of the service; its operator has been alarmed",
  },
};

/** Whether a failure that was retried `spent` times already is final now. */
export function isExhausted(code: FailureCode, spent: number): boolean {
  const { retries } = failureClasses[code];
  return retries !== "until_deadline" && spent >= retries;
}

/** Whether a failure means that nothing can be had of the model for a while, whoever asks. */
export function closesGate(code: FailureCode): boolean {
  return failureClasses[code].gate === "closes";
}

/** A longer wait than this is not believed: the job looks again. */
const longestObeyedMs = 900_000;

/**
 * Milliseconds to wait before the next try: what Gemini asked for within bounds, else exponential from the failure's class;
 * up to half as much again on top, so that many jobs don't return at once.
 * @param spent retries that the job has spent on this failure already
 * @param random in [0, 1)
 */
export function retryDelayMs(failure: Failure, spent: number, random: number): number {
  const { waitMs, longestWaitMs } = failureClasses[failure.code];
  const wait =
    failure.retryAfterMs === undefined
      ? Math.min(longestWaitMs, waitMs * 2 ** Math.min(spent, 20))
      : Math.min(longestObeyedMs, Math.max(waitMs, failure.retryAfterMs));
  return Math.round(wait * (1 + random / 2));
}
