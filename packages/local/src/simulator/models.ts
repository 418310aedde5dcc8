import { allRatios, commonRatios, type ImageSize, type Ratio } from "./sizes.ts";

export type ThinkingLevel = "MINIMAL" | "LOW" | "MEDIUM" | "HIGH";

/** One image model as Google's server treats it; written down apart from Plantain's own registry, to witness it. */
export type Model = {
  id: string;
  displayName: string;
  description: string;
  /** Which pixel table it draws from. */
  family: "2.5" | "3";
  ratios: readonly Ratio[];
  /** Allowed `imageSize` values; empty when the parameter must not be sent. */
  sizes: readonly ImageSize[];
  /** Tokens billed for one output image, by size. */
  imageTokens: Readonly<Partial<Record<ImageSize, number>>>;
  /** Levels it takes; null when thinking cannot be asked for. */
  thinking: { levels: readonly ThinkingLevel[]; default: ThinkingLevel } | null;
  search: { web: boolean; images: boolean };
  /** Of 8 answers, how many are JPEG; the others are PNG. */
  jpegOf8: number;
  /** Whether its answers carry thought signatures, and must carry them when sent back. */
  signs: boolean;
  inputTokenLimit: number;
  outputTokenLimit: number;
};

const pro: Model = {
  id: "gemini-3-pro-image",
  displayName: "Nano Banana Pro",
  description: "Gemini 3 Pro Image",
  family: "3",
  ratios: commonRatios,
  sizes: ["1K", "2K", "4K"],
  imageTokens: { "1K": 1120, "2K": 1120, "4K": 2000 },
  thinking: { levels: ["MINIMAL", "LOW", "MEDIUM", "HIGH"], default: "HIGH" },
  search: { web: true, images: false },
  jpegOf8: 7,
  signs: true,
  inputTokenLimit: 65_536,
  outputTokenLimit: 32_768,
};

/**
 * Every image model that answers, Google's default first. The two `-preview` ids shut down on 2026-06-25 are left out:
 * they answer 404 like any unknown id.
 */
export const models: readonly Model[] = [
  {
    id: "gemini-nano-banana-2.1",
    displayName: "Nano Banana 2.1",
    description: "Gemini Nano Banana 2.1",
    family: "3",
    ratios: allRatios,
    sizes: ["1K", "2K", "4K"],
    imageTokens: { "1K": 1120, "2K": 1680, "4K": 3780 },
    thinking: { levels: ["MINIMAL", "MEDIUM", "HIGH"], default: "MEDIUM" },
    search: { web: true, images: true },
    jpegOf8: 0,
    signs: true,
    inputTokenLimit: 131_072,
    outputTokenLimit: 32_768,
  },
  pro,
  { ...pro, id: "nano-banana-pro-preview", displayName: "Nano Banana Pro (alias)" },
  {
    id: "gemini-3.1-flash-lite-image",
    displayName: "Nano Banana 2 Lite",
    description: "Gemini 3.1 Flash Lite Image",
    family: "3",
    ratios: allRatios,
    sizes: ["1K"],
    imageTokens: { "1K": 1120 },
    thinking: { levels: ["MINIMAL", "HIGH"], default: "MINIMAL" },
    search: { web: false, images: false },
    jpegOf8: 0,
    signs: true,
    inputTokenLimit: 131_072,
    outputTokenLimit: 32_768,
  },
  {
    id: "gemini-3.1-flash-image",
    displayName: "Nano Banana 2",
    description: "Gemini 3.1 Flash Image",
    family: "3",
    ratios: allRatios,
    sizes: ["512", "1K", "2K", "4K"],
    imageTokens: { "512": 747, "1K": 1120, "2K": 1680, "4K": 2520 },
    thinking: { levels: ["MINIMAL", "HIGH"], default: "MINIMAL" },
    search: { web: true, images: true },
    jpegOf8: 0,
    signs: true,
    inputTokenLimit: 131_072,
    outputTokenLimit: 32_768,
  },
  {
    id: "gemini-2.5-flash-image",
    displayName: "Nano Banana",
    description: "Gemini 2.5 Flash Image",
    family: "2.5",
    ratios: commonRatios,
    sizes: [],
    imageTokens: { "1K": 1290 },
    thinking: null,
    search: { web: false, images: false },
    jpegOf8: 0,
    signs: false,
    inputTokenLimit: 32_768,
    outputTokenLimit: 32_768,
  },
];

/** The most user images one request may carry. */
export const maxReferenceImages = 14;

/** The model called `id` (without `models/`), or undefined when it is unknown or retired. */
export function findModel(id: string): Model | undefined {
  return models.find((model) => model.id === id);
}

/** 404 text for a model that is unknown, retired, or lacks the method. */
export function modelNotFoundMessage(id: string, version: string, method: string): string {
  return `models/${id} is not found for API version ${version}, or is not supported for ${method}. Call ListModels (ModelService.ListModels) to see the list of available models and their supported methods.`;
}

/** The model as `models.get` and `models.list` show it. */
export function modelResource(model: Model): object {
  return {
    name: `models/${model.id}`,
    version: "001",
    displayName: model.displayName,
    description: model.description,
    inputTokenLimit: model.inputTokenLimit,
    outputTokenLimit: model.outputTokenLimit,
    supportedGenerationMethods: ["generateContent", "countTokens", "batchGenerateContent"],
    temperature: 1,
    topP: 0.95,
    topK: 64,
    maxTemperature: 2,
    ...(model.thinking === null ? {} : { thinking: true }),
  };
}
