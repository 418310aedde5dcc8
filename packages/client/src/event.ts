import type { Job, JobError } from "./job.ts";
import { job, jobError } from "./job-check.ts";
import { anything, type Check, listOf, objectOf, oneOf, orNull, text } from "./shape.ts";
import { WebhookVerificationError } from "./webhook-error.ts";

/** What every event has, whatever it tells. */
type Told<Type extends string, Data> = {
  /** `webhook-id`: the same for all tries of one delivery, so what to know a repetition by. */
  readonly id: string;
  /** When it happened, RFC 3339 in UTC. */
  readonly timestamp: string;
  readonly type: Type;
  readonly data: Data;
};

export type JobSucceeded = Told<"job.succeeded", SucceededJob>;
export type JobFailed = Told<"job.failed", FailedJob>;
export type JobCanceled = Told<"job.canceled", CanceledJob>;
/** An endpoint gets nothing any more, which the tenant's others are told. */
export type EndpointDisabled = Told<"endpoint.disabled", DisabledEndpoint>;
/** Somebody asked Plantain to try this endpoint. */
export type Ping = Told<"ping", { readonly object: "ping"; readonly endpoint: string }>;
/** Truly from Plantain, of a type that this version doesn't know: answer 2xx, or it is sent again. */
export type UnknownEvent = Told<"unknown", unknown> & { readonly sentType: string };

export type WebhookEvent = JobSucceeded | JobFailed | JobCanceled | EndpointDisabled | Ping | UnknownEvent;

/** The job as it ended, links with the API's address before them. */
export type ToldJob = Job & {
  /** Fields that were cut to keep the body under 20 KB, as `prompt` or `error.message`; the API has them whole. */
  readonly truncated: readonly string[];
};
export type SucceededJob = ToldJob & { readonly status: "succeeded" };
export type FailedJob = ToldJob & { readonly status: "failed"; readonly error: JobError };
export type CanceledJob = ToldJob & { readonly status: "canceled" };

export type DisabledEndpoint = {
  readonly object: "endpoint";
  /** `ep_` and 26 characters. */
  readonly id: string;
  /** `owner`; `gone`, as it answered 410; or `failing`, as for days it never answered 2xx. */
  readonly disabled_reason: string;
  /** Since when it only failed. */
  readonly failing_since: string | null;
};

const toldJob = both(job, objectOf<{ truncated: readonly string[] }>({ truncated: listOf(text) }));
const succeeded = both(toldJob, objectOf<{ status: "succeeded" }>({ status: oneOf("succeeded") }));
const failed = both(
  toldJob,
  objectOf<{ status: "failed"; error: JobError }>({ status: oneOf("failed"), error: jobError }),
);
const canceled = both(toldJob, objectOf<{ status: "canceled" }>({ status: oneOf("canceled") }));

const disabledEndpoint = objectOf<DisabledEndpoint>({
  object: oneOf("endpoint"),
  id: text,
  disabled_reason: text,
  failing_since: orNull(text),
});
const ping = objectOf<Ping["data"]>({ object: oneOf("ping"), endpoint: text });

const envelope = objectOf<{ type: string; timestamp: string; data: unknown }>({
  type: text,
  timestamp: text,
  data: anything,
});

/**
 * Reads the body of a request whose signature was found good.
 * @throws WebhookVerificationError `malformed_event`
 */
export function readEvent(id: string, body: string): WebhookEvent {
  const { type, timestamp, data } = checked(envelope, parse(body), "body");
  const told = { id, timestamp };
  switch (type) {
    case "job.succeeded":
      return { ...told, type, data: checked(succeeded, data, "data") };
    case "job.failed":
      return { ...told, type, data: checked(failed, data, "data") };
    case "job.canceled":
      return { ...told, type, data: checked(canceled, data, "data") };
    case "endpoint.disabled":
      return { ...told, type, data: checked(disabledEndpoint, data, "data") };
    case "ping":
      return { ...told, type, data: checked(ping, data, "data") };
    default:
      return { ...told, type: "unknown", sentType: type, data };
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw malformed("the body is no JSON");
  }
}

function checked<T>(check: Check<T>, value: unknown, path: string): T {
  const wrong: string[] = [];
  if (check(value, path, wrong)) return value;
  throw malformed(wrong.join(", "));
}

function both<A, B>(a: Check<A>, b: Check<B>): Check<A & B> {
  return (value, path, wrong): value is A & B => a(value, path, wrong) && b(value, path, wrong);
}

function malformed(why: string): WebhookVerificationError {
  return new WebhookVerificationError(
    "malformed_event",
    `Cannot read the event: ${why}; update @plantain/client to the version of the service`,
  );
}
