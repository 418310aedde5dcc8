import * as z from "zod";
import { isJobId } from "../id.ts";
import { mediaTypes } from "../image/inspect.ts";
import { aspectRatios, imageSizes, thinkingLevels } from "../model/model.ts";
import { jobEventTypes } from "../webhook/event.ts";
import { isSecret } from "../webhook/signature.ts";

const JobIdText = z.string().refine(isJobId, "Not a job id");

/** A reference image as a job keeps it: bytes under the job's own prefix, named by their hash. */
export const InputImage = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  mediaType: z.enum(mediaTypes),
  bytes: z.number().int().positive(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  /** Where the bytes are until a worker has copied them to the job: an earlier job's image. */
  source: z.object({ jobId: JobIdText, index: z.number().int(), key: z.string() }).nullable(),
});
export type InputImage = z.infer<typeof InputImage>;

/**
 * A reference image that a worker fetches before it needs it, once for the job: the bytes then lie under the job's own
 * prefix, named by the URL's hash, and are measured there.
 */
export const LinkedImage = z.strictObject({ url: z.string() });
export type LinkedImage = z.infer<typeof LinkedImage>;

export type ReferenceImage = InputImage | LinkedImage;

/** Web and image search that the model may use. */
export const Grounding = z.object({ web: z.boolean(), images: z.boolean() });
export type Grounding = z.infer<typeof Grounding>;

export const harmCategories = [
  "harassment",
  "hate_speech",
  "sexually_explicit",
  "dangerous_content",
] as const;
export const safetyThresholds = [
  "block_low_and_above",
  "block_medium_and_above",
  "block_only_high",
  "block_none",
  "off",
] as const;

/** What Gemini's own filters let through, by kind of harm; what isn't named stays at Google's default. */
export const Safety = z.partialRecord(z.enum(harmCategories), z.enum(safetyThresholds));
export type Safety = z.infer<typeof Safety>;

/** One turn of a conversation: a job, and which of its images the next turn went on from. */
export const TurnRef = z.object({ jobId: JobIdText, index: z.number().int() });
export type TurnRef = z.infer<typeof TurnRef>;

/** An earlier turn to be sent along, and what it weighs. */
const HistoryRef = TurnRef.extend({
  /** Of all its images, asked and answered. */
  bytes: z.number().int(),
  /** Reference images in it. */
  images: z.number().int(),
});
export type HistoryRef = z.infer<typeof HistoryRef>;

/** A URL that wants to hear how this very job ends. */
const InlineWebhook = z.object({
  url: z.string(),
  events: z.array(z.enum(jobEventTypes)),
  /** `null`: the tenant's own signs. */
  secret: z.string().refine(isSecret, "Not a secret").nullable(),
});
export type InlineWebhook = z.infer<typeof InlineWebhook>;

/** What the caller asked for, validated and with defaults: all that an attempt needs to know. */
export const JobRequest = z.object({
  /** The model as the caller named it; the job's `model` is what serves it. */
  requestedModel: z.string(),
  prompt: z.string(),
  images: z.array(z.union([InputImage, LinkedImage])),
  aspectRatio: z.enum(aspectRatios).nullable(),
  imageSize: z.enum(imageSizes).nullable(),
  /** Images wanted; one paid call each. */
  count: z.number().int().min(1).max(4),
  output: z.enum(["image", "image_and_text"]),
  thinking: z.enum(thinkingLevels).nullable(),
  grounding: Grounding,
  safety: Safety,
  /** For the first image; each further one takes the next number, or all would be alike. */
  seed: z.number().int().nullable(),
  /** The earlier job's image that this job goes on from. */
  continueFrom: TurnRef.nullable(),
  /** That image, for when the turns before can't be used. */
  continued: InputImage.nullable(),
  /** The turns to send along, oldest first, `continueFrom` last; empty where they can't be used. */
  history: z.array(HistoryRef),
  metadata: z.record(z.string(), z.string()),
  webhook: InlineWebhook.nullable(),
  /** What the caller should know about how the request is served. */
  warnings: z.array(z.string()),
  /** Expected cost in nanodollars at submit; `null` where a price isn't published. */
  estimatedCost: z.number().nullable(),
  /** The price list of that estimate. */
  pricingVersion: z.string(),
});
export type JobRequest = z.infer<typeof JobRequest>;

/** A request as its job shows it. */
export type ShownRequest = Omit<JobRequest, "continued" | "history">;

/** The part of it that a repeated submission doesn't say itself. Nothing that the caller wrote is in it but URLs of images. */
export const WorkedOut = JobRequest.pick({
  requestedModel: true,
  images: true,
  continueFrom: true,
  warnings: true,
  estimatedCost: true,
  pricingVersion: true,
});
export type WorkedOut = z.infer<typeof WorkedOut>;
