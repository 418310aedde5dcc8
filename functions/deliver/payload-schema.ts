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
  upstream: z
    .looseObject({
      status: z.number().nullable(),
      finish_reason: z.string().nullable(),
      message: z.string().nullable(),
    })
    .nullable(),
});

const ReferenceImage = z.looseObject({
  url: z
    .string()
    .nullable()
    .describe("Where it came as a URL: what that led to is told beside it, of a job that succeeded"),
  media_type: z.string().nullable(),
  width: z.number().int().nullable(),
  height: z.number().int().nullable(),
  bytes: z.number().int().nullable(),
  sha256: z.string().nullable(),
  job_id: z.string().nullable().describe("Where it came from a job"),
  index: z.number().int().nullable(),
});

const found = { title: z.string().nullable(), domain: z.string().nullable() };
const Grounding = z.looseObject({
  web_queries: z.array(z.string()),
  image_queries: z.array(z.string()),
  pages: z.array(z.looseObject({ ...found, url: z.string() })),
  pictures: z.array(
    z.looseObject({
      ...found,
      page_url: z.string().describe("What has to be linked"),
      url: z.string().nullable(),
    }),
  ),
  search_widgets: z.array(z.string()).describe("Google's HTML, to be shown unchanged"),
});

/** A job that is over, as its events tell of it. */
export const ToldJob = z.looseObject({
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
  held_by: z.null(),
  aspect_ratio: z.string().nullable(),
  image_size: z.string().nullable(),
  count: z.number().int().describe("Images wanted"),
  output: z.string(),
  thinking: z.string().nullable(),
  grounding_requested: z.looseObject({ web: z.boolean(), images: z.boolean() }),
  safety: z.record(z.string(), z.string()),
  seed: z.number().int().nullable(),
  continue_from: z.looseObject({ job_id: z.string(), index: z.number().int() }).nullable(),
  reference_images: z.array(ReferenceImage),
  images: z.array(Image),
  text: z.string().nullable(),
  grounding: Grounding.nullable(),
  metadata: z.record(z.string(), z.string()),
  webhook: z
    .looseObject({ url: z.string(), events: z.array(z.string()) })
    .nullable()
    .describe("The URL that came with the job, if one did, and what it hears of"),
  usage: Tokens,
  cost: z.looseObject({
    usd: z.string().nullable(),
    estimated_usd: z.string().nullable(),
    final: z.boolean(),
    unknown_attempts: z.number().int(),
    pricing_version: z.string(),
  }),
  error: Failure.nullable(),
  last_error: z.null(),
  warnings: z.array(z.string()),
  links: z.looseObject({ self: Link, cancel: Link, attempts: Link, turns: Link }),
  truncated: z
    .array(z.string())
    .describe("Fields that were cut to keep the payload under 20 KB; the API has them whole"),
});

const data: Readonly<Record<EventType, z.ZodType>> = {
  "job.succeeded": ToldJob.extend({ status: z.literal("succeeded"), images: z.array(Image).min(1) }),
  "job.failed": ToldJob.extend({ status: z.literal("failed"), error: Failure }),
  "job.canceled": ToldJob.extend({ status: z.literal("canceled") }),
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
