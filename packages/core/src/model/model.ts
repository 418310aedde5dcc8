import * as z from "zod";
import { mediaTypes } from "../image/inspect.ts";

export const aspectRatios = [
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
] as const;
export type AspectRatio = (typeof aspectRatios)[number];

export const imageSizes = ["512", "1K", "2K", "4K"] as const;
export type ImageSize = (typeof imageSizes)[number];

export const thinkingLevels = ["minimal", "low", "medium", "high"] as const;
export type Thinking = (typeof thinkingLevels)[number];

/** Width and height. */
const Pixels = z.tuple([z.number().int().positive(), z.number().int().positive()]);
export type Pixels = z.infer<typeof Pixels>;

const Price = z.number().nonnegative();

/** What one image model can do and what it costs. */
export const Model = z.strictObject({
  id: z.string().min(1),
  title: z.string().min(1),
  /** Other names for it. */
  aliases: z.array(z.string().min(1)),
  /** A retired model makes no images any more: its successor serves its jobs, or they are refused. */
  status: z.enum(["active", "deprecated", "retired"]),
  /** Says why the model should be left; jobs that name it carry this as a warning. */
  notice: z.string().nullable(),
  successor: z.string().nullable(),
  aspectRatios: z.array(z.enum(aspectRatios)).min(1),
  /** Empty: the model has one size and takes no choice. */
  imageSizes: z.array(z.enum(imageSizes)),
  defaultSize: z.enum(imageSizes),
  /** Pixels by size and ratio, as Google's guide tells them; real images deviate at times, so results are measured. */
  pixels: z.partialRecord(z.enum(imageSizes), z.partialRecord(z.enum(aspectRatios), Pixels)),
  maxReferenceImages: z.number().int().nonnegative(),
  /** What a reference image may be. */
  inputTypes: z.array(z.enum(mediaTypes)).min(1),
  /** Levels that the model obeys; empty: thinking can't be chosen. */
  thinking: z.array(z.enum(thinkingLevels)),
  /** The model thinks whether it is asked to or not. */
  alwaysThinks: z.boolean(),
  grounding: z.strictObject({ web: z.boolean(), images: z.boolean() }),
  /** Thought signatures come with its answers and have to go back with them. */
  signsThoughts: z.boolean(),
  /** US dollars per million tokens; `null` is a price that Google doesn't publish. */
  prices: z.strictObject({ input: Price, textOutput: Price.nullable(), imageOutput: Price }),
  /** What Google's other service tiers cost, as multiples of these prices; `null` is one that isn't published. */
  tiers: z.strictObject({ batch: Price.nullable(), flex: Price.nullable(), priority: Price.nullable() }),
  /** Output tokens that Google's price list expects of one image, by size. */
  imageTokens: z.partialRecord(z.enum(imageSizes), z.number().int().positive()),
});
export type Model = z.infer<typeof Model>;

/** An id that Google has shut down, and the model that serves its jobs now. */
export type RetiredModel = { readonly id: string; readonly successor: string; readonly since: string };
