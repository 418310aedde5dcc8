import * as z from "zod";
import { mediaTypes } from "../image/inspect.ts";
import type { FailureCode } from "./failure.ts";
import { failureClasses } from "./failure.ts";

const codes = Object.keys(failureClasses);
export const FailureCodeRecord = z.custom<FailureCode>(
  (value) => typeof value === "string" && codes.includes(value),
);
const Count = z.number().int().nonnegative();

export const UpstreamRecord = z.object({
  status: z.number().exactOptional(),
  finishReason: z.string().exactOptional(),
  message: z.string().exactOptional(),
});

export const FailureRecord = z.object({
  code: FailureCodeRecord,
  message: z.string(),
  billed: z.enum(["yes", "no", "unknown"]),
  upstream: UpstreamRecord.exactOptional(),
  retryAfterMs: z.number().exactOptional(),
});

export const UsageRecord = z.object({
  inputText: Count,
  inputImage: Count,
  outputText: Count,
  outputImage: Count,
  thinking: Count,
});

/** A picture in the store, measured from its bytes. */
export const StoredImage = z.object({
  index: Count,
  /** The attempt that made it; its outcome lies under the same fence. */
  fence: z.number().int().positive(),
  key: z.string(),
  mediaType: z.enum(mediaTypes),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  bytes: z.number().int().positive(),
  sha256: z.string(),
  /** Whether it really went on from the turns before, as far as there were any. */
  usedHistory: z.boolean(),
});
export type StoredImage = z.infer<typeof StoredImage>;

/** What the URL of a reference image led to, measured from the bytes that every call of the job sent. */
export const FetchedImage = z.object({
  url: z.string(),
  sha256: z.string(),
  mediaType: z.enum(mediaTypes),
  bytes: z.number().int().positive(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
});
export type FetchedImage = z.infer<typeof FetchedImage>;

const Link = z.object({ page: z.string(), title: z.string().nullable(), domain: z.string().nullable() });

/** What a grounded answer rests on, with what Google's terms ask to show beside it. */
export const GroundingRecord = z.object({
  webQueries: z.array(z.string()),
  imageQueries: z.array(z.string()),
  /** Pages that the answer used. */
  pages: z.array(Link),
  /** Pictures found, each with the page it stands on, which is what has to be linked. */
  pictures: z.array(Link.extend({ picture: z.string().nullable() })),
  /** Google's search widget, HTML to be shown unchanged. */
  widgets: z.array(z.string()),
});
export type GroundingRecord = z.infer<typeof GroundingRecord>;

const Signature = z.string().nullable();

/** The model's answer part by part, to be sent back as it is in a later turn; pictures stay where they are stored. */
export const StoredPart = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string(), signature: Signature }),
  z.object({
    type: z.literal("image"),
    key: z.string(),
    mediaType: z.enum(mediaTypes),
    signature: Signature,
  }),
]);
export type StoredPart = z.infer<typeof StoredPart>;

const common = {
  /** Nanodollars; `null` where a price isn't published. */
  cost: z.number().nullable(),
  usage: UsageRecord.nullable(),
};

/**
 * What one paid call came to, stored before anything else is done with it: a later attempt adopts it instead of
 * paying again. Only what is final is stored: an image, or a refusal that no retry would change.
 */
export const Outcome = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("image"),
    image: StoredImage,
    text: z.string().nullable(),
    grounding: GroundingRecord.nullable(),
    parts: z.array(StoredPart),
    /** The reference images of the call that came as URLs. */
    fetched: z.array(FetchedImage).default([]),
    /** Why the turns before were not sent along although there were some; `null` where nothing was left out. */
    historyUnused: z.string().nullable(),
    upstream: UpstreamRecord.nullable(),
    ...common,
  }),
  z.object({ type: z.literal("refused"), index: Count, failure: FailureRecord, ...common }),
]);
export type Outcome = z.infer<typeof Outcome>;
export type ImageOutcome = Extract<Outcome, { type: "image" }>;

/** What a succeeded job shows. */
export const Result = z.object({
  images: z.array(StoredImage).min(1),
  text: z.string().nullable(),
  grounding: GroundingRecord.nullable(),
  /** The reference images that came as URLs. */
  fetched: z.array(FetchedImage).default([]),
  warnings: z.array(z.string()),
});
export type Result = z.infer<typeof Result>;
