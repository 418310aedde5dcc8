import type { SKRSContext2D } from "@napi-rs/canvas";
import { regular } from "./fonts.ts";

/** Text broken into lines at a font size, both in the canvas's units. */
export type Lettering = { lines: readonly string[]; fontSize: number; lineHeight: number };

const lineSpacing = 1.32;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Scripts written without spaces between words: a line may end after any character. */
const unspaced =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\u{20000}-\u{3ffff}]/u;

const rightToLeft =
  /^[^\p{L}]*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** Whether a line reads from right to left, by its first letter. */
export function isRightToLeft(line: string): boolean {
  return rightToLeft.test(line);
}

/** Makes any text drawable: no lone surrogates, no control characters but line breaks. */
export function cleaned(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n]/gu, " ");
}

/**
 * Breaks `text` into lines at the largest font size between `smallest` and `largest` at which it fits a box. What does not
 * fit at the smallest is cut off, and the last line says so.
 */
export function fitText(
  context: SKRSContext2D,
  text: string,
  box: { width: number; height: number },
  sizes: { largest: number; smallest: number },
): Lettering {
  const widthOf = measuring(context);
  const pieces = piecesOf(text);
  const linesAt = (size: number) => breakLines(pieces, (piece) => (widthOf(piece) * size) / 100, box.width);
  const fits = (size: number) => linesAt(size).length * size * lineSpacing <= box.height;
  let low = sizes.smallest;
  if (!fits(low)) return cut(linesAt(low), low, box.height);
  let high = sizes.largest;
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  const fontSize = fits(high) ? high : low;
  return { lines: linesAt(fontSize), fontSize, lineHeight: fontSize * lineSpacing };
}

/** Widths at 100 units, each measured once: shaping is what costs time. */
function measuring(context: SKRSContext2D): (piece: string) => number {
  const known = new Map<string, number>();
  context.font = `100px "${regular}"`;
  return (piece) => {
    const width = known.get(piece) ?? context.measureText(piece).width;
    known.set(piece, width);
    return width;
  };
}

/** Words, spaces, line breaks; single characters where a script has no spaces. */
function piecesOf(text: string): string[] {
  return (text.match(/\n|[^\S\n]+|\S+/g) ?? []).flatMap((piece) => {
    if (!unspaced.test(piece) && piece.length <= 40) return [piece];
    return [...graphemes.segment(piece)].map(({ segment }) => segment);
  });
}

function breakLines(pieces: readonly string[], widthOf: (piece: string) => number, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  const end = () => {
    lines.push(line.trimEnd());
    line = "";
    used = 0;
  };
  const put = (piece: string) => {
    const needed = widthOf(piece);
    if (line !== "" && used + needed > width && piece.trim() !== "") end();
    if (line === "" && piece.trim() === "") return;
    line += piece;
    used += needed;
  };
  for (const piece of pieces) {
    if (piece === "\n") end();
    else if (widthOf(piece) <= width) put(piece);
    else for (const { segment } of graphemes.segment(piece)) put(segment);
  }
  if (line !== "") end();
  return lines;
}

function cut(lines: readonly string[], fontSize: number, height: number): Lettering {
  const lineHeight = fontSize * lineSpacing;
  const kept = lines.slice(0, Math.max(1, Math.floor(height / lineHeight)));
  const missing = lines.slice(kept.length).join(" ").length;
  return { lines: [...kept.slice(0, -1), `… (+${missing} characters)`], fontSize, lineHeight };
}
