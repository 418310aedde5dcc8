import { mediaTypes } from "@plantain/core/image/inspect";
import { disabledReasons, type EventType, eventTypes } from "@plantain/core/webhook/event";
import * as z from "zod";

/*
 * What receivers get, as JSON Schema publishes it. Fields may be added: who reads skips what he doesn't know.
 */

const Time = z.iso.datetime();
const Link = z.url();
const Tokens = z.looseObject({
  input_tokens: z.looseObject({ text: z.number(), image: z.number() }),
  output_tokens: z.looseObject({ text: z.number(), image: z.number(), thinking: z.number() }),
});

const Image = z.looseObject({
  index: z.number().int(),
  url: Link.describe("At the API: asked with an API key it leads to the image, as long as that is kept"),
  url_expires_at: z.null(),
  media_type: z.enum(mediaTypes),
  width: z.number().int(),
  height: z.number().int(),
  bytes: z.number().int(),
  sha256: z.string(),
  links: z.looseObject({ self: Link }),
});

const Failure = z.looseObject({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  retryable: z.boolean(),
  billed: z.boolean().nullable(),
});

const Job = z.looseObject({
  id: z.string(),
  object: z.literal("job"),
  status: z.enum(["succeeded", "failed", "canceled"]),
  model: z.string(),
  requested_model: z.string(),
  prompt: z.string(),
  created_at: Time,
  started_at: Time.nullable(),
  finished_at: Time,
  deadline_at: Time,
  attempts: z.number().int(),
  images: z.array(Image),
  text: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  usage: Tokens,
  cost: z.looseObject({
    usd: z.string().nullable(),
    estimated_usd: z.string().nullable(),
    final: z.boolean(),
    unknown_attempts: z.number().int(),
    pricing_version: z.string(),
  }),
  error: Failure.nullable(),
  warnings: z.array(z.string()),
  links: z.looseObject({ self: Link }),
  truncated: z
    .array(z.string())
    .describe("Fields that were cut to keep the payload under 20 KB; the API has them whole"),
});

const data: Readonly<Record<EventType, z.ZodType>> = {
  "job.succeeded": Job.extend({ status: z.literal("succeeded"), images: z.array(Image).min(1) }),
  "job.failed": Job.extend({ status: z.literal("failed"), error: Failure }),
  "job.canceled": Job.extend({ status: z.literal("canceled") }),
  "endpoint.disabled": z.looseObject({
    object: z.literal("endpoint"),
    id: z.string(),
    disabled_reason: z.enum(disabledReasons),
    failing_since: Time.nullable(),
  }),
  ping: z.looseObject({ object: z.literal("ping"), endpoint: z.string() }),
};

/** The payload of each type of event. */
export const payloadSchemas = new Map(
  eventTypes.map((type) => [
    type as string,
    z.looseObject({
      type: z.literal(type),
      timestamp: Time.describe("When the event was, whatever is tried when"),
      data: data[type],
    }),
  ]),
);
