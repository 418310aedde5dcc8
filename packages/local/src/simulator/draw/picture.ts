import { createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import { drawsFrom } from "../random.ts";
import { bold, regular } from "./fonts.ts";
import { cleaned, fitText, isRightToLeft, type Lettering } from "./lettering.ts";
import { drawScenery } from "./scenery.ts";
import { type Box, drawThumbnails, type Thumbnail } from "./thumbnails.ts";

/** An image to draw; the same picture always gives the same bytes. */
export type Picture = {
  width: number;
  height: number;
  type: "image/png" | "image/jpeg";
  /** Decides the scenery. */
  seed: string;
  prompt: string;
  /** A line about the request: model, ratio, size. */
  caption: string;
  thumbnails: readonly Thumbnail[];
};

const notice = "SIMULATED — not made by Gemini";
const cardColour = "rgba(16, 19, 30, 0.74)";
const jpegQuality = 88;

/** Draws a picture; encoding happens off the main thread. */
export async function drawPicture(picture: Picture): Promise<Buffer> {
  const canvas = createCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  // Everything is laid out for about one megapixel and scaled, so that tiers differ in sharpness only.
  const scale = Math.sqrt((picture.width * picture.height) / 2 ** 20);
  context.scale(scale, scale);
  const area = { width: picture.width / scale, height: picture.height / scale };
  drawScenery(context, area, drawsFrom(picture.seed));
  drawCard(context, area, picture);
  drawNotice(context, area);
  return await (picture.type === "image/png" ? canvas.encode("png") : canvas.encode("jpeg", jpegQuality));
}

type Area = { width: number; height: number };

function drawNotice(context: SKRSContext2D, area: Area): void {
  const short = Math.min(area.width, area.height);
  const margin = short * 0.045;
  let size = short * 0.034;
  context.font = `${size}px "${bold}"`;
  const room = area.width - margin * 2;
  size *= Math.min(1, room / (context.measureText(notice).width + size * 1.6));
  context.font = `${size}px "${bold}"`;
  const width = context.measureText(notice).width + size * 1.6;
  fillRounded(context, { x: margin, y: margin, width, height: size * 2 }, size, "#ffd54a");
  context.fillStyle = "#141824";
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(notice, margin + size * 0.8, margin + size * 1.04);
}

/** The card with prompt, reference images and caption: along the bottom, or at the left of a wide image. */
function drawCard(context: SKRSContext2D, area: Area, picture: Picture): void {
  const short = Math.min(area.width, area.height);
  const margin = short * 0.045;
  const padding = short * 0.045;
  const wide = area.width / area.height > 2;
  const captionSize = Math.max(short * 0.024, 10);
  const width = wide ? Math.min(area.width * 0.64, area.height * 4.2) : area.width - margin * 2;
  const inner = width - padding * 2;
  const roof = wide ? short * 0.14 : area.height * 0.42;
  const tallest = area.height - margin - roof - padding * 2;

  const shown = picture.thumbnails.length > 0;
  const beside =
    wide && shown ? Math.min(inner * 0.45, tallest * Math.min(2.2, picture.thumbnails.length)) : 0;
  const strip =
    !wide && shown ? Math.min(tallest * 0.45, inner * (picture.thumbnails.length > 5 ? 0.36 : 0.24)) : 0;
  const taken = captionSize * 2 + (strip > 0 ? strip + padding * 0.6 : 0);
  const text = fitText(
    context,
    cleaned(picture.prompt),
    { width: inner - (beside > 0 ? beside + padding : 0), height: tallest - taken },
    {
      largest: short * (wide ? 0.12 : area.height / area.width > 2 ? 0.09 : 0.066),
      smallest: Math.max(short * 0.02, 9),
    },
  );
  const content = Math.max(text.lines.length * text.lineHeight + taken, beside > 0 ? tallest : 0);
  const height = content + padding * 2;
  const y = wide ? roof : area.height - margin - height;
  fillRounded(context, { x: margin, y, width, height }, short * 0.03, cardColour);

  const left = margin + padding;
  if (beside > 0) {
    drawThumbnails(context, picture.thumbnails, {
      x: left + inner - beside,
      y: y + padding,
      width: beside,
      height: tallest,
    });
  }
  if (strip > 0) {
    drawThumbnails(context, picture.thumbnails, { x: left, y: y + padding, width: inner, height: strip });
  }
  const top = y + padding + (strip > 0 ? strip + padding * 0.6 : 0);
  drawLines(context, text, { x: left, y: top, width: inner - (beside > 0 ? beside + padding : 0) });
  drawCaption(context, picture.caption, captionSize, {
    x: left,
    y: y + height - padding,
    width: inner - (beside > 0 ? beside + padding : 0),
  });
}

function drawLines(context: SKRSContext2D, text: Lettering, box: Omit<Box, "height">): void {
  context.font = `${text.fontSize}px "${regular}"`;
  context.fillStyle = "#ffffff";
  context.textBaseline = "alphabetic";
  for (const [index, line] of text.lines.entries()) {
    const reversed = isRightToLeft(line);
    context.direction = reversed ? "rtl" : "ltr";
    context.textAlign = reversed ? "right" : "left";
    const x = reversed ? box.x + box.width : box.x;
    context.fillText(line, x, box.y + index * text.lineHeight + text.fontSize);
  }
  context.direction = "ltr";
}

function drawCaption(context: SKRSContext2D, caption: string, size: number, box: Omit<Box, "height">): void {
  context.font = `${size}px "${regular}"`;
  context.fillStyle = "rgba(255, 255, 255, 0.72)";
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  context.fillText(caption, box.x, box.y, box.width);
}

function fillRounded(context: SKRSContext2D, box: Box, radius: number, colour: string): void {
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, radius);
  context.fill();
}
