import type { ImageRef } from "@plantain/core/conversation/find-image";
import type { JobId } from "@plantain/core/id";
import { isJobId } from "@plantain/core/id";
import { mediaTypes } from "@plantain/core/image/inspect";
import { harmCategories, safetyThresholds } from "@plantain/core/job/request";
import type { Submission, SubmittedImage } from "@plantain/core/job/submission";
import { aspectRatios, imageSizes, thinkingLevels } from "@plantain/core/model/model";
import { jobEventTypes } from "@plantain/core/webhook/event";
import * as z from "zod";
import { acceptUrl, Url } from "./url-body.ts";
import { eventList, SecretText } from "./webhook-body.ts";

const longestPrompt = 8_000;
/** Against nonsense; how many a model takes is the model's to say. */
const mostImages = 100;
const defaultDeadlineSeconds = 1_800;

const hasControlCharacter = (text: string) => /[^\P{Cc}\t\n\r]/u.test(text);

const Prompt = z
  .string()
  .transform((text) => text.normalize("NFC"))
  .refine((text) => text.isWellFormed(), "Not well-formed Unicode: half of a surrogate pair is missing")
  .refine((text) => text.trim() !== "", "Say what the image should show")
  .refine((text) => Array.from(text).length <= longestPrompt, `At most ${longestPrompt} characters`)
  .refine((text) => !hasControlCharacter(text), "No control characters but tab and line breaks")
  .meta({ minLength: 1, maxLength: longestPrompt });

const DataImage = z.strictObject({
  data: z
    .string()
    .min(1)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/, "Not base64; send the bytes as plain base64, without a data: prefix"),
  media_type: z.enum(mediaTypes).optional(),
});
const JobIdText = z
  .string()
  .refine(isJobId, "Not a job id, which looks like job_01h…")
  .meta({ pattern: "^job_[0-7][0-9a-hjkmnp-tv-z]{25}$" });
const JobImage = z.strictObject({ job_id: JobIdText, index: z.number().int().min(0).max(3).optional() });

/** Held against the policy apart from its shape, as every URL. */
const UrlImage = z.strictObject({ url: Url });

const metadataName = z
  .string()
  .regex(/^[\x21-\x7e]{1,64}$/, "Names are 1 to 64 visible ASCII characters")
  .refine((name) => !(name in {}), "This name means something to JavaScript; choose another");

/** The body of `POST /v1/jobs`. Unknown fields are refused, so that a misspelt one is never silently without effect. */
export const JobBody = z
  .strictObject({
    model: z.string().min(1).optional(),
    prompt: Prompt.optional(),
    images: z
      .array(z.union([DataImage, JobImage, UrlImage]))
      .max(mostImages)
      .default([]),
    aspect_ratio: z.enum(aspectRatios).optional(),
    image_size: z.enum(imageSizes).optional(),
    count: z.number().int().min(1).max(4).default(1),
    output: z.enum(["image", "image_and_text"]).default("image"),
    continue_from: z.union([JobIdText, JobImage]).optional(),
    thinking: z.enum(thinkingLevels).optional(),
    grounding: z
      .strictObject({ web: z.boolean().default(false), images: z.boolean().default(false) })
      .default({ web: false, images: false }),
    safety: z.partialRecord(z.enum(harmCategories), z.enum(safetyThresholds)).default({}),
    seed: z
      .number()
      .int()
      .min(0)
      .max(2 ** 31 - 4)
      .optional(),
    deadline_seconds: z.number().int().min(10).max(86_400).default(defaultDeadlineSeconds),
    metadata: z
      .record(
        metadataName,
        z
          .string()
          .max(512)
          .refine((text) => text.isWellFormed(), "Not well-formed Unicode"),
      )
      .refine((metadata) => Object.keys(metadata).length <= 16, "At most 16 entries")
      .meta({ maxProperties: 16 })
      .default({}),
    webhook: z
      .strictObject({
        url: Url,
        events: eventList(jobEventTypes).default([...jobEventTypes]),
        secret: SecretText.optional(),
      })
      .optional(),
  })
  .refine(({ prompt, images }) => prompt !== undefined || images.length > 0, {
    path: ["prompt"],
    message: "Say what the image should show, or send images",
  });
export type JobBody = z.infer<typeof JobBody>;

/** The domain's words for a valid body. A prompt may be missing only beside images. */
export function submissionOf(body: JobBody): Submission {
  return {
    model: body.model ?? null,
    prompt: body.prompt ?? "",
    images: body.images.map(submittedImage),
    aspectRatio: body.aspect_ratio ?? null,
    imageSize: body.image_size ?? null,
    count: body.count,
    output: body.output,
    continueFrom: body.continue_from === undefined ? null : turnOf(body.continue_from),
    thinking: body.thinking ?? null,
    grounding: body.grounding,
    safety: body.safety,
    seed: body.seed ?? null,
    deadlineMs: body.deadline_seconds * 1000,
    metadata: body.metadata,
    webhook: body.webhook ? { ...body.webhook, secret: body.webhook.secret ?? null } : null,
  };
}

/**
 * Holds every URL of a submission against the policy, before anything is stored.
 * @throws DomainError `invalid_request`
 */
export function acceptUrls({ images, webhook }: Submission, allowLoopback: boolean): void {
  for (const [index, image] of images.entries())
    if (image.type === "url") acceptUrl(image.url, `images[${index}].url`, allowLoopback);
  if (webhook) acceptUrl(webhook.url, "webhook.url", allowLoopback);
}

function turnOf(from: NonNullable<JobBody["continue_from"]>): ImageRef {
  return typeof from === "string" ? { jobId: from, index: null } : imageRef(from);
}

function imageRef({ job_id: jobId, index }: { job_id: JobId; index?: number | undefined }): ImageRef {
  return { jobId, index: index ?? null };
}

function submittedImage(image: JobBody["images"][number]): SubmittedImage {
  if ("job_id" in image) return { type: "job", ...imageRef(image) };
  if ("url" in image) return { type: "url", url: image.url };
  return { type: "data", bytes: Buffer.from(image.data, "base64"), mediaType: image.media_type ?? null };
}
