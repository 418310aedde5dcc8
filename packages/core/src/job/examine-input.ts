import { type Inspection, inspect } from "../image/inspect.ts";
import type { Bytes } from "./ports.ts";

const largestPixels = 40_000_000;

/** Why bytes can't serve as a reference image. `reason` goes on from "Cannot use image 0: ". */
export type Unfit = { readonly unfit: "invalid" | "too_large"; readonly reason: string };

/** Type and pixel size of a reference image by its own bytes, or why it can't be one. */
export function examineInput(bytes: Bytes): Inspection | Unfit {
  const found = inspect(bytes);
  if ("unreadable" in found) {
    const reason =
      found.unreadable === "truncated"
        ? "its end is missing; send the whole file"
        : "by its bytes it is none of PNG, JPEG, WebP, HEIC and HEIF";
    return { unfit: "invalid", reason };
  }
  const { width, height } = found;
  if (width * height <= largestPixels) return found;
  return { unfit: "too_large", reason: `${width}x${height} is over 40 megapixels; send a smaller one` };
}
