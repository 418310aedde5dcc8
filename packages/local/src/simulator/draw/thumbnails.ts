import type { Image, SKRSContext2D } from "@napi-rs/canvas";
import { bold } from "./fonts.ts";

/** A reference image to show; without a picture (HEIC, HEIF, PDF) its type is written in its place. */
export type Thumbnail = { picture: Image | null; label: string };

export type Box = { x: number; y: number; width: number; height: number };

/** Rows and columns that give `count` squares the most room in a box. */
function grid(count: number, width: number, height: number, gap: number): { columns: number; side: number } {
  let best = { columns: 1, side: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const side = Math.min((width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows);
    if (side > best.side) best = { columns, side };
  }
  return best;
}

/** Draws reference images as framed, numbered squares that fill a box as well as they can. */
export function drawThumbnails(context: SKRSContext2D, thumbnails: readonly Thumbnail[], box: Box): void {
  const gap = Math.min(box.width, box.height) * 0.08;
  const { columns, side } = grid(thumbnails.length, box.width, box.height, gap);
  for (const [index, thumbnail] of thumbnails.entries()) {
    const x = box.x + (index % columns) * (side + gap);
    const y = box.y + Math.floor(index / columns) * (side + gap);
    drawThumbnail(context, thumbnail, index + 1, { x, y, width: side, height: side });
  }
}

function drawThumbnail(context: SKRSContext2D, thumbnail: Thumbnail, number: number, box: Box): void {
  const { x, y, width: side } = box;
  const radius = side * 0.07;
  context.save();
  context.beginPath();
  context.roundRect(x, y, side, side, radius);
  context.clip();
  context.fillStyle = "#3a4152";
  context.fillRect(x, y, side, side);
  if (thumbnail.picture === null) drawLabel(context, thumbnail.label, box);
  else drawCovering(context, thumbnail.picture, box);
  context.restore();
  context.strokeStyle = "#ffffff";
  context.lineWidth = Math.max(1, side * 0.025);
  context.beginPath();
  context.roundRect(x, y, side, side, radius);
  context.stroke();
  drawNumber(context, number, x + side * 0.85, y + side * 0.15, side * 0.11);
}

function drawCovering(context: SKRSContext2D, picture: Image, { x, y, width: side }: Box): void {
  const cropped = Math.min(picture.width, picture.height);
  const left = (picture.width - cropped) / 2;
  const top = (picture.height - cropped) / 2;
  context.drawImage(picture, left, top, cropped, cropped, x, y, side, side);
}

function drawLabel(context: SKRSContext2D, label: string, { x, y, width: side }: Box): void {
  context.fillStyle = "#ffffff";
  context.font = `${side * 0.22}px "${bold}"`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(label, x + side / 2, y + side / 2, side * 0.9);
}

function drawNumber(context: SKRSContext2D, number: number, x: number, y: number, radius: number): void {
  context.fillStyle = "#ffffff";
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = "#141824";
  context.font = `${radius * 1.2}px "${bold}"`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(number), x, y);
}
