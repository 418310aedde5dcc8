import { mediaTypes } from "../image/inspect.ts";
import {
  type AspectRatio,
  aspectRatios,
  type ImageSize,
  type Model,
  type Pixels,
  type RetiredModel,
} from "./model.ts";

/*
 * Facts of Google's image-generation guide, pricing and deprecation pages, read in October and November 2026.
 * Pixel sizes are per model family: tokens and price depend on the size, never on the ratio.
 */

/** The ratios of every model; the extreme ones came later. */
const classicRatios: AspectRatio[] = aspectRatios.slice(0, 10);
const allRatios: AspectRatio[] = [...aspectRatios];

/** Version of the price list that costs are computed with: the month it was read in. */
export const pricingVersion = "2026-11";

type PixelTable = Partial<Record<AspectRatio, Pixels>>;

const firstGeneration: PixelTable = {
  "1:1": [1024, 1024],
  "2:3": [832, 1248],
  "3:2": [1248, 832],
  "3:4": [864, 1184],
  "4:3": [1184, 864],
  "4:5": [896, 1152],
  "5:4": [1152, 896],
  "9:16": [768, 1344],
  "16:9": [1344, 768],
  "21:9": [1536, 672],
};

const third1K: PixelTable = {
  "1:1": [1024, 1024],
  "2:3": [848, 1264],
  "3:2": [1264, 848],
  "3:4": [896, 1200],
  "4:3": [1200, 896],
  "4:5": [928, 1152],
  "5:4": [1152, 928],
  "9:16": [768, 1376],
  "16:9": [1376, 768],
  "21:9": [1584, 672],
  "1:4": [512, 2048],
  "4:1": [2048, 512],
  "1:8": [384, 3072],
  "8:1": [3072, 384],
};

const third512: PixelTable = {
  "1:1": [512, 512],
  "2:3": [424, 632],
  "3:2": [632, 424],
  "3:4": [448, 600],
  "4:3": [600, 448],
  "4:5": [464, 576],
  "5:4": [576, 464],
  "9:16": [384, 688],
  "16:9": [688, 384],
  "21:9": [792, 168],
  "1:4": [256, 1024],
  "4:1": [1024, 256],
  "1:8": [192, 1536],
  "8:1": [1536, 192],
};

function only(ratios: readonly AspectRatio[], table: PixelTable, factor = 1): PixelTable {
  return Object.fromEntries(
    ratios.flatMap((ratio) => {
      const pixels = table[ratio];
      return pixels ? [[ratio, [pixels[0] * factor, pixels[1] * factor]]] : [];
    }),
  );
}

function thirdGeneration(ratios: readonly AspectRatio[]): Partial<Record<ImageSize, PixelTable>> {
  return { "1K": only(ratios, third1K), "2K": only(ratios, third1K, 2), "4K": only(ratios, third1K, 4) };
}

export const models: readonly Model[] = [
  {
    id: "gemini-nano-banana-2.1",
    title: "Nano Banana 2.1",
    aliases: ["nano-banana-2.1"],
    status: "active",
    notice: null,
    successor: null,
    aspectRatios: allRatios,
    imageSizes: ["1K", "2K", "4K"],
    defaultSize: "1K",
    pixels: thirdGeneration(allRatios),
    maxReferenceImages: 14,
    inputTypes: [...mediaTypes],
    thinking: ["minimal", "medium", "high"],
    alwaysThinks: true,
    signsThoughts: true,
    grounding: { web: true, images: true },
    prices: { input: 1.5, textOutput: 7.5, imageOutput: 30 },
    tiers: { batch: 0.5, flex: 0.5, priority: null },
    imageTokens: { "1K": 1120, "2K": 1680, "4K": 3780 },
  },
  {
    id: "gemini-3-pro-image",
    title: "Nano Banana Pro",
    aliases: ["nano-banana-pro", "nano-banana-pro-preview"],
    status: "active",
    notice: null,
    successor: null,
    aspectRatios: classicRatios,
    imageSizes: ["1K", "2K", "4K"],
    defaultSize: "1K",
    pixels: thirdGeneration(classicRatios),
    maxReferenceImages: 14,
    inputTypes: [...mediaTypes],
    thinking: [],
    alwaysThinks: true,
    signsThoughts: true,
    grounding: { web: true, images: false },
    prices: { input: 2, textOutput: 12, imageOutput: 120 },
    tiers: { batch: 0.5, flex: 0.5, priority: null },
    imageTokens: { "1K": 1120, "2K": 1120, "4K": 2000 },
  },
  {
    id: "gemini-3.1-flash-lite-image",
    title: "Nano Banana 2 Lite",
    aliases: ["nano-banana-2-lite"],
    status: "active",
    notice: null,
    successor: null,
    aspectRatios: classicRatios,
    imageSizes: ["1K"],
    defaultSize: "1K",
    pixels: { "1K": only(classicRatios, third1K) },
    maxReferenceImages: 14,
    inputTypes: [...mediaTypes],
    thinking: ["minimal", "high"],
    alwaysThinks: true,
    signsThoughts: true,
    grounding: { web: false, images: false },
    prices: { input: 0.25, textOutput: null, imageOutput: 30 },
    tiers: { batch: 0.5, flex: 0.5, priority: null },
    imageTokens: { "1K": 1120 },
  },
  {
    id: "gemini-3.1-flash-image",
    title: "Nano Banana 2",
    aliases: ["nano-banana-2"],
    status: "deprecated",
    notice: 'Model "gemini-3.1-flash-image" is deprecated since 2026-10-06; use "gemini-nano-banana-2.1"',
    successor: "gemini-nano-banana-2.1",
    aspectRatios: allRatios,
    imageSizes: ["512", "1K", "2K", "4K"],
    defaultSize: "1K",
    pixels: { "512": only(allRatios, third512), ...thirdGeneration(allRatios) },
    maxReferenceImages: 14,
    inputTypes: [...mediaTypes],
    thinking: ["minimal", "high"],
    alwaysThinks: true,
    signsThoughts: true,
    grounding: { web: true, images: true },
    prices: { input: 0.5, textOutput: 3, imageOutput: 60 },
    tiers: { batch: 0.5, flex: 0.5, priority: null },
    imageTokens: { "512": 747, "1K": 1120, "2K": 1680, "4K": 2520 },
  },
  {
    id: "gemini-2.5-flash-image",
    title: "Nano Banana",
    aliases: ["nano-banana"],
    status: "deprecated",
    notice:
      'Model "gemini-2.5-flash-image" is at the end of its life at Google; use "gemini-nano-banana-2.1" for new work',
    successor: "gemini-nano-banana-2.1",
    aspectRatios: classicRatios,
    imageSizes: [],
    defaultSize: "1K",
    pixels: { "1K": firstGeneration },
    maxReferenceImages: 3,
    inputTypes: [...mediaTypes],
    thinking: [],
    alwaysThinks: false,
    signsThoughts: false,
    grounding: { web: false, images: false },
    prices: { input: 0.3, textOutput: 2.5, imageOutput: 30 },
    tiers: { batch: 0.5, flex: 0.5, priority: 1.8 },
    imageTokens: { "1K": 1290 },
  },
];

/** Shut down by Google; asked for by their old id they are served by their successor or refused, as a stage chooses. */
export const retiredModels: readonly RetiredModel[] = [
  { id: "gemini-3-pro-image-preview", successor: "gemini-3-pro-image", since: "2026-06-25" },
  { id: "gemini-3.1-flash-image-preview", successor: "gemini-3.1-flash-image", since: "2026-06-25" },
];
