/** What `imageSize` may be; "512" is the only one without a K. */
export type ImageSize = "512" | "1K" | "2K" | "4K";

export type Pixels = { width: number; height: number };

/** The ten ratios every image model takes, in the order Google lists them in errors. */
export const commonRatios = [
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
] as const;

/** With the four extreme ratios of the newer models, in the order Google lists them in errors. */
export const allRatios = [
  "1:1",
  "1:4",
  "1:8",
  "2:3",
  "3:2",
  "3:4",
  "4:1",
  "4:3",
  "4:5",
  "5:4",
  "8:1",
  "9:16",
  "16:9",
  "21:9",
] as const;

export type Ratio = (typeof allRatios)[number];

type Side = readonly [number, number];

const gemini25: Partial<Record<Ratio, Side>> = {
  "1:1": [1024, 1024],
  "2:3": [832, 1248],
  "3:4": [864, 1184],
  "4:5": [896, 1152],
  "9:16": [768, 1344],
  "21:9": [1536, 672],
};

const gemini3: Partial<Record<Ratio, Side>> = {
  "1:1": [1024, 1024],
  "2:3": [848, 1264],
  "3:4": [896, 1200],
  "4:5": [928, 1152],
  "9:16": [768, 1376],
  "21:9": [1584, 672],
  "1:4": [512, 2048],
  "1:8": [384, 3072],
};

/** The 512 tier has a table of its own; 792x168 for 21:9 is what the guide prints. */
const gemini3Small: Partial<Record<Ratio, Side>> = {
  "1:1": [512, 512],
  "2:3": [424, 632],
  "3:4": [448, 600],
  "4:5": [464, 576],
  "9:16": [384, 688],
  "21:9": [792, 168],
  "1:4": [256, 1024],
  "1:8": [192, 1536],
};

/**
 * Width and height in pixels of the image a model of `family` makes.
 *
 * @throws Error if the family has no such ratio: validation let through what the table lacks.
 */
export function pixelsOf(family: "2.5" | "3", ratio: Ratio, size: ImageSize): Pixels {
  const table = family === "2.5" ? gemini25 : size === "512" ? gemini3Small : gemini3;
  const times = size === "4K" ? 4 : size === "2K" ? 2 : 1;
  const upright = table[ratio];
  if (upright !== undefined) return { width: upright[0] * times, height: upright[1] * times };
  const turned = table[mirror(ratio)];
  if (turned !== undefined) return { width: turned[1] * times, height: turned[0] * times };
  throw new Error(`Cannot size an image: the "${family}" table has no ratio "${ratio}"`);
}

/** The ratio of `ratios` closest to that of an image; a reference image sets the shape when the request does not. */
export function nearestRatio(ratios: readonly Ratio[], pixels: Pixels): Ratio {
  const distance = (ratio: Ratio) =>
    Math.abs(Math.log(widthOverHeight(ratio) / (pixels.width / pixels.height)));
  return ratios.reduce((best, ratio) => (distance(ratio) < distance(best) ? ratio : best), "1:1");
}

function mirror(ratio: Ratio): Ratio {
  const turned = ratio.split(":").reverse().join(":");
  return allRatios.find((each) => each === turned) ?? ratio;
}

function widthOverHeight(ratio: Ratio): number {
  const [width, height] = ratio.split(":").map(Number);
  return (width ?? 1) / (height ?? 1);
}
