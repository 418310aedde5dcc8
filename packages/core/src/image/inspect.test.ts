import { describe, expect, it } from "vitest";
import { inspect } from "./inspect.ts";

const ascii = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));
const u32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const u16 = (n: number) => [(n >>> 8) & 255, n & 255];
const le32 = (n: number) => u32(n).reverse();
const bytes = (...parts: number[][]) => Uint8Array.from(parts.flat());

const pngChunk = (type: string, data: number[]) => [...u32(data.length), ...ascii(type), ...data, 0, 0, 0, 0];
const png = (width: number, height: number, end = true) =>
  bytes(
    [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    pngChunk("IHDR", [...u32(width), ...u32(height), 8, 6, 0, 0, 0]),
    pngChunk("IDAT", [1, 2, 3]),
    end ? pngChunk("IEND", []) : [],
  );

const segment = (marker: number, data: number[]) => [0xff, marker, ...u16(data.length + 2), ...data];
const jpeg = (frame: number, end = true) =>
  bytes(
    [0xff, 0xd8],
    segment(0xe1, [...ascii("Exif"), 0xff, 0xd9]), // an end marker in a thumbnail isn't the end
    segment(0xc4, [0, 1, 2]),
    segment(frame, [8, ...u16(600), ...u16(800), 3]),
    segment(0xda, [1, 2, 3]),
    [0x12, 0xff, 0x00, 0x34],
    end ? [0xff, 0xd9] : [],
  );

const webp = (form: string, data: number[]) =>
  bytes(ascii("RIFF"), le32(4 + 8 + data.length), ascii("WEBP"), ascii(form), le32(data.length), data);

const box = (type: string, data: number[]) => [...u32(8 + data.length), ...ascii(type), ...data];
const heif = (...brands: string[]) => {
  const [major = "mif1", ...others] = brands;
  const ispe = (width: number, height: number) => box("ispe", [0, 0, 0, 0, ...u32(width), ...u32(height)]);
  const properties = box("iprp", box("ipco", [...ispe(512, 512), ...ispe(4032, 3024)]));
  return bytes(
    box("ftyp", [...ascii(major), 0, 0, 0, 0, ...others.flatMap(ascii)]),
    box("meta", [0, 0, 0, 0, ...properties]),
    box("mdat", [1, 2, 3, 4]),
  );
};

describe("inspect", () => {
  it.each([
    ["PNG", png(1024, 768), { mediaType: "image/png", width: 1024, height: 768 }],
    ["baseline JPEG", jpeg(0xc0), { mediaType: "image/jpeg", width: 800, height: 600 }],
    ["progressive JPEG", jpeg(0xc2), { mediaType: "image/jpeg", width: 800, height: 600 }],
    [
      "lossy WebP",
      webp("VP8 ", [0, 0, 0, 0x9d, 0x01, 0x2a, 0x20, 0x03, 0x58, 0x02]),
      { mediaType: "image/webp", width: 800, height: 600 },
    ],
    [
      "lossless WebP",
      webp("VP8L", [0x2f, ...le32((799 | (599 << 14)) >>> 0)]),
      { mediaType: "image/webp", width: 800, height: 600 },
    ],
    [
      "extended WebP",
      webp("VP8X", [0, 0, 0, 0, 0x1f, 0x03, 0, 0x57, 0x02, 0]),
      { mediaType: "image/webp", width: 800, height: 600 },
    ],
    ["tiled HEIC", heif("heic", "mif1"), { mediaType: "image/heic", width: 4032, height: 3024 }],
    ["HEIF", heif("mif1", "msf1"), { mediaType: "image/heif", width: 4032, height: 3024 }],
  ])("tells type and size of a %s", (_name, file, expected) => {
    expect(inspect([file])).toEqual(expected);
  });

  it.each([
    ["GIF", bytes(ascii("GIF89a"), [1, 0, 1, 0])],
    ["SVG", bytes(ascii('<svg xmlns="http://www.w3.org/2000/svg"/>'))],
    ["AVIF", heif("avif", "mif1")],
    ["MP4", heif("isom", "mp42")],
    [
      "PNG whose size stands elsewhere",
      bytes([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], pngChunk("tEXt", [...u32(10), ...u32(10), 0])),
    ],
    ["nothing", bytes()],
    ["text", bytes(ascii("hello, I am a banana"))],
  ])("knows no %s", (_name, file) => {
    expect(inspect([file])).toEqual({ unreadable: "unknown_type" });
  });

  it.each([
    ["PNG", png(10, 10, false)],
    ["JPEG", jpeg(0xc0, false)],
    ["JPEG header", jpeg(0xc0).subarray(0, 30)],
    ["WebP", webp("VP8X", [0, 0, 0, 0, 0x1f, 0x03, 0, 0x57, 0x02, 0]).subarray(0, 25)],
    ["HEIC", heif("heic").subarray(0, -2)],
  ])("notices that the end of a %s is missing", (_name, file) => {
    expect(inspect([file])).toEqual({ unreadable: "truncated" });
  });

  it("reads the size that a decompression bomb claims, without decoding it", () => {
    expect(inspect([png(16_000, 16_000)])).toMatchObject({ width: 16_000, height: 16_000 });
    expect(inspect([png(65_535, 65_535)])).toMatchObject({ width: 65_535, height: 65_535 });
  });

  it.each([png(1024, 768), jpeg(0xc2), heif("heic")])(
    "reads a file that lies in pieces, wherever they end",
    (file) => {
      const whole = inspect([file]);
      for (let at = 0; at <= file.length; at += 1) {
        expect(inspect([file.subarray(0, at), file.subarray(at)])).toEqual(whole);
      }
      expect(inspect(Array.from(file, (byte) => Uint8Array.of(byte)))).toEqual(whole);
    },
  );

  it("doesn't believe a file that says how long it is", () => {
    const file = bytes([0xff, 0xff, 0xff, 0xff], ascii("ftypheic"), [0, 0, 0, 0]);
    const startedAt = performance.now();
    expect(inspect([file])).toEqual({ unreadable: "truncated" });
    expect(performance.now() - startedAt).toBeLessThan(50);
  });

  it("takes a picture with bytes behind its end, as cameras write them", () => {
    expect(inspect([bytes([...png(5, 5)], ascii("trailer"))])).toMatchObject({ width: 5 });
    expect(inspect([bytes([...jpeg(0xc0)], [0, 0, 0])])).toMatchObject({ width: 800 });
  });
});
