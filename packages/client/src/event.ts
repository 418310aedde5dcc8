import type { Job, JobError } from "./job.ts";
import { job, jobError } from "./job-check.ts";
import { anything, type Check, objectOf, oneOf, recordOf, text } from "./shape.ts";
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
/** Plantain gave up on an endpoint, and says so to the others. */
export type EndpointDisabled = Told<"endpoint.disabled", Readonly<Record<string, unknown>>>;
/** Somebody asked Plantain to try the endpoint. */
export type Ping = Told<"ping", Readonly<Record<string, unknown>>>;
/** Truly from Plantain, of a type that this version doesn't know: answer 2xx, or it is sent again. */
export type UnknownEvent = Told<"unknown", unknown> & { readonly sentType: string };

export type WebhookEvent = JobSucceeded | JobFailed | JobCanceled | EndpointDisabled | Ping | UnknownEvent;

export type SucceededJob = Job & { readonly status: "succeeded" };
export type FailedJob = Job & { readonly status: "failed"; readonly error: JobError };
export type CanceledJob = Job & { readonly status: "canceled" };

const succeeded = both(job, objectOf<{ status: "succeeded" }>({ status: oneOf("succeeded") }));
const failed = both(
  job,
  objectOf<{ status: "failed"; error: JobError }>({ status: oneOf("failed"), error: jobError }),
);
const canceled = both(job, objectOf<{ status: "canceled" }>({ status: oneOf("canceled") }));
const anyObject = recordOf(anything);

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
    case "ping":
      return { ...told, type, data: checked(anyObject, data, "data") };
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
