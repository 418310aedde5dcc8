import * as z from "zod";
import { isJobId } from "../id.ts";
import { mediaTypes } from "../image/inspect.ts";

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

/** What the caller asked for, validated and with defaults: all that an attempt needs to know. */
export const JobRequest = z.object({
  /** The model as the caller named it; the job's `model` is what serves it. */
  requestedModel: z.string(),
  prompt: z.string(),
  images: z.array(InputImage),
  aspectRatio: z
    .enum([
      "1:1",
      "2:3",
      "3:2",
      "3:4",
      "4:3",
      "4:5",
      "5:4",
      "9:16",
      "16:9",
      "21:9",
      "1:4",
      "4:1",
      "1:8",
      "8:1",
    ])
    .nullable(),
  imageSize: z.enum(["512", "1K", "2K", "4K"]).nullable(),
  /** Images wanted; one paid call each. */
  count: z.number().int().min(1).max(4),
  output: z.enum(["image", "image_and_text"]),
  metadata: z.record(z.string(), z.string()),
  /** What the caller should know about how the request is served. */
  warnings: z.array(z.string()),
  /** Expected cost in nanodollars at submit; `null` where a price isn't published. */
  estimatedCost: z.number().nullable(),
});
export type JobRequest = z.infer<typeof JobRequest>;
