export type AspectRatio =
  | "1:1"
  | "2:3"
  | "3:2"
  | "3:4"
  | "4:3"
  | "4:5"
  | "5:4"
  | "9:16"
  | "16:9"
  | "21:9"
  | "1:4"
  | "4:1"
  | "1:8"
  | "8:1";
export type ImageSize = "512" | "1K" | "2K" | "4K";
export type Thinking = "minimal" | "low" | "medium" | "high";

/** US dollars per million tokens; `null` is a price that Google doesn't publish. */
export type Prices = {
  readonly input: number;
  readonly textOutput: number | null;
  readonly imageOutput: number;
};

export type Pixels = readonly [width: number, height: number];

/** What one image model can do and what it costs. */
export type Model = {
  readonly id: string;
  readonly title: string;
  readonly aliases: readonly Alias[];
  readonly status: "active" | "deprecated" | "retired";
  /** The model that serves the jobs of a retired one. */
  readonly successor?: string;
  /** Says why a deprecated or retired model should be left. */
  readonly notice?: string;
  readonly aspectRatios: readonly AspectRatio[];
  /** Empty: the model has one size and takes no choice. */
  readonly imageSizes: readonly ImageSize[];
  readonly defaultSize: ImageSize;
  /** Pixels by size and ratio, as Google's guide tells them; real images deviate at times, so results are measured. */
  readonly pixels: Partial<Record<ImageSize, Partial<Record<AspectRatio, Pixels>>>>;
  readonly maxReferenceImages: number;
  /** Levels that the model obeys; empty: thinking can't be chosen. */
  readonly thinking: readonly Thinking[];
  /** The model thinks whether it is asked to or not. */
  readonly alwaysThinks: boolean;
  readonly grounding: { readonly web: boolean; readonly images: boolean };
  readonly prices: Prices;
  /** Output tokens that Google's price list expects of one image, by size. */
  readonly imageTokens: Partial<Record<ImageSize, number>>;
};

/** Another name for a model; with a `notice`, jobs that use it carry that as a warning. */
export type Alias = { readonly name: string; readonly notice?: string };
