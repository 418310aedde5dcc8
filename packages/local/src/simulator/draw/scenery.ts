import type { SKRSContext2D } from "@napi-rs/canvas";
import { between, type Draw } from "../random.ts";

type Area = { width: number; height: number };

type Colour = readonly [hue: number, saturation: number, lightness: number];

/** Two ends of the sky, top first; the sun or moon; two ends of the ridges, far first. */
type Palette = { sky: readonly [Colour, Colour]; sun: Colour; land: readonly [Colour, Colour] };

const daylight: Palette = {
  sky: [
    [205, 70, 56],
    [192, 72, 86],
  ],
  sun: [48, 96, 70],
  land: [
    [158, 30, 52],
    [168, 42, 20],
  ],
};

const palettes: readonly Palette[] = [
  daylight,
  {
    sky: [
      [262, 42, 34],
      [352, 72, 74],
    ],
    sun: [36, 95, 72],
    land: [
      [278, 30, 42],
      [256, 42, 16],
    ],
  },
  {
    sky: [
      [226, 52, 15],
      [212, 44, 38],
    ],
    sun: [52, 38, 88],
    land: [
      [222, 34, 32],
      [228, 46, 10],
    ],
  },
  {
    sky: [
      [24, 88, 62],
      [44, 92, 84],
    ],
    sun: [8, 82, 58],
    land: [
      [12, 48, 46],
      [342, 46, 18],
    ],
  },
  {
    sky: [
      [184, 48, 36],
      [164, 46, 76],
    ],
    sun: [56, 80, 86],
    land: [
      [186, 40, 34],
      [196, 56, 13],
    ],
  },
  {
    sky: [
      [338, 58, 70],
      [28, 86, 88],
    ],
    sun: [0, 0, 100],
    land: [
      [322, 34, 54],
      [286, 38, 24],
    ],
  },
  {
    sky: [
      [250, 38, 18],
      [288, 34, 46],
    ],
    sun: [318, 44, 90],
    land: [
      [266, 34, 36],
      [246, 46, 12],
    ],
  },
  {
    sky: [
      [198, 36, 72],
      [40, 52, 90],
    ],
    sun: [28, 92, 64],
    land: [
      [88, 26, 50],
      [122, 34, 20],
    ],
  },
];

/**
 * A landscape in flat colours: bands of sky, a sun or moon with halos, three or four ridges. Flat on purpose: gradients are
 * dithered, and then a PNG takes four times as long to encode and is four times as big.
 */
export function drawScenery(context: SKRSContext2D, area: Area, draw: Draw): void {
  const { sky, sun, land } = palettes[between(draw, 0, palettes.length - 1)] ?? daylight;
  drawSky(context, area, sky);
  drawSun(context, area, draw, sun);
  const ridges = between(draw, 3, 4);
  const pointed = draw() < 0.4;
  for (let index = 0; index < ridges; index += 1) {
    context.fillStyle = mixed(land, index / (ridges - 1));
    const base = area.height * (0.56 + (0.36 * index) / ridges);
    drawRidge(context, area, base, pointed && index < 2 ? peaks(area, draw) : waves(area, draw));
  }
}

function drawSky(context: SKRSContext2D, area: Area, sky: Palette["sky"]): void {
  const bands = 10;
  for (let band = 0; band < bands; band += 1) {
    context.fillStyle = mixed(sky, band / (bands - 1));
    const top = Math.floor((area.height * 0.72 * band) / bands);
    context.fillRect(0, top, area.width, area.height - top);
  }
}

function drawSun(context: SKRSContext2D, area: Area, draw: Draw, [hue, saturation, lightness]: Colour): void {
  const radius = Math.min(area.width, area.height) * (0.1 + 0.06 * draw());
  // In a wide image the card covers the left.
  const across = area.width > 2 * area.height ? 0.72 + 0.2 * draw() : 0.2 + 0.6 * draw();
  const x = area.width * across;
  const y = area.height * (0.24 + 0.16 * draw());
  for (let ring = 3; ring >= 0; ring -= 1) {
    context.fillStyle = `hsla(${hue} ${saturation}% ${lightness}% / ${ring === 0 ? 1 : 0.16})`;
    context.beginPath();
    context.arc(x, y, radius * (1 + ring * 0.36), 0, Math.PI * 2);
    context.fill();
  }
}

/** A colour between two, going round the colour wheel the short way. */
function mixed([from, to]: readonly [Colour, Colour], share: number): string {
  const turn = ((to[0] - from[0] + 540) % 360) - 180;
  const saturation = from[1] + (to[1] - from[1]) * share;
  const lightness = from[2] + (to[2] - from[2]) * share;
  return `hsl(${from[0] + turn * share} ${saturation}% ${lightness}%)`;
}

type Profile = (x: number) => number;

/** Heights of rolling hills, as a sum of two sines. */
function waves({ width, height }: Area, draw: Draw): Profile {
  const long = Math.max(width / 1.6, Math.min(height * 0.5, width)) * (0.7 + 0.6 * draw());
  const [first, second] = [draw() * 7, draw() * 7];
  const swing = Math.min(height * 0.07, width * 0.2);
  return (x) => swing * (Math.sin((x / long) * 6.3 + first) + 0.4 * Math.sin((x / long) * 15 + second));
}

/** Heights of a mountain range: straight lines between random summits and valleys. */
function peaks({ width, height }: Area, draw: Draw): Profile {
  const step = Math.max(width / between(draw, 6, 10), height * 0.16);
  const swing = Math.min(height * 0.15, width * 0.3);
  const corners = Array.from({ length: Math.ceil(width / step) + 2 }, (_, index) =>
    index % 2 === 0 ? swing * 0.6 * draw() : -swing * (0.4 + 0.6 * draw()),
  );
  return (x) => {
    const index = Math.floor(x / step);
    const [left = 0, right = 0] = [corners[index], corners[index + 1]];
    return left + (right - left) * (x / step - index);
  };
}

function drawRidge(context: SKRSContext2D, { width, height }: Area, base: number, profile: Profile): void {
  const step = Math.max(4, width / 400);
  context.beginPath();
  context.moveTo(0, height);
  for (let x = 0; x < width + step; x += step) context.lineTo(x, base + profile(x));
  context.lineTo(width, height);
  context.fill();
}
