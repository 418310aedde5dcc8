import { loadImage } from "@napi-rs/canvas";
import { describe, expect, it } from "vitest";
import { drawPicture, type Picture } from "./picture.ts";

const picture: Picture = {
  width: 320,
  height: 320,
  type: "image/png",
  seed: "seed",
  prompt: "A fox",
  caption: "model · 1:1",
  thumbnails: [],
};

async function pixelsOf(bytes: Buffer): Promise<[number, number]> {
  const { width, height } = await loadImage(bytes);
  return [width, height];
}

describe("a drawn picture", () => {
  it.each([
    [320, 320],
    [792, 168],
    [96, 768],
    [768, 96],
    [160, 400],
  ])("of %i x %i has exactly these pixels, with and without reference images", async (width, height) => {
    const thumbnail = { picture: await loadImage(await drawPicture(picture)), label: "PNG" };
    const placeholder = { picture: null, label: "HEIC" };
    for (const thumbnails of [[], [thumbnail, placeholder], Array(14).fill(thumbnail)]) {
      expect(await pixelsOf(await drawPicture({ ...picture, width, height, thumbnails }))).toEqual([
        width,
        height,
      ]);
    }
  });

  it("depends on prompt, seed and type, and on nothing else", async () => {
    const drawn = await drawPicture(picture);
    expect(await drawPicture({ ...picture })).toEqual(drawn);
    expect(await drawPicture({ ...picture, prompt: "A fax" })).not.toEqual(drawn);
    expect(await drawPicture({ ...picture, seed: "other" })).not.toEqual(drawn);
    expect((await drawPicture({ ...picture, type: "image/jpeg" })).subarray(0, 2)).toEqual(
      Buffer.from([0xff, 0xd8]),
    );
  });

  it.each([
    ["nothing", ""],
    ["8,000 characters", "many words in a row ".repeat(400)],
    ["8,000 characters without a space", "x".repeat(8000)],
    ["line breaks only", "\n".repeat(500)],
    ["scripts the font lacks", "日本語のプロンプト हिन्दी ภาษาไทย".repeat(60)],
    ["right to left", "ثعلب نائم تحت شجرة\nשועל ישן בשלג"],
    ["emoji, joiners, control characters and a lone surrogate", "🦊👨‍👩‍👧‍👦🏳️‍🌈\u0000\u001b[31m\ud800"],
  ])("shows a prompt of %s", async (_, prompt) => {
    expect(await pixelsOf(await drawPicture({ ...picture, prompt }))).toEqual([320, 320]);
  });
});
