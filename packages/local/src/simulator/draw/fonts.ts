import { createRequire } from "node:module";
import { GlobalFonts } from "@napi-rs/canvas";

/** Family names under which the packaged fonts are drawn, whatever else the machine has installed. */
export const regular = "Simulator Sans";
export const bold = "Simulator Sans Bold";

const { resolve } = createRequire(import.meta.url);
GlobalFonts.registerFromPath(resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"), regular);
GlobalFonts.registerFromPath(resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf"), bold);
