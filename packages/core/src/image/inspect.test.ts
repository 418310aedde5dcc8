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
const frameData = (width: number, height: number) => [8, ...u16(height), ...u16(width), 3];
const jpeg = (frame: number, end = true, other: number[] = []) =>
  bytes(
    [0xff, 0xd8],
    segment(0xe1, [...ascii("Exif"), 0xff, 0xd9]), // an end marker in a thumbnail isn't the end
    segment(0xc4, [0, 1, 2]),
    segment(frame, frameData(800, 600)),
    other,
    segment(0xda, [1, 2, 3]),
    [0x12, 0xff, 0x00, 0x34],
    end ? [0xff, 0xd9] : [],
  );

const webp = (form: string, data: number[]) =>
  bytes(ascii("RIFF"), le32(4 + 8 + data.length), ascii("WEBP"), ascii(form), le32(data.length), data);

const box = (type: string, data: number[]) => [...u32(8 + data.length), ...ascii(type), ...data];
const ispe = (width: number, height: number) => box("ispe", [0, 0, 0, 0, ...u32(width), ...u32(height)]);
const meta = (...sizes: number[][]) => box("meta", [0, 0, 0, 0, ...box("iprp", box("ipco", sizes.flat()))]);
const ftyp = (major: string, ...others: string[]) =>
  box("ftyp", [...ascii(major), 0, 0, 0, 0, ...others.flatMap(ascii)]);
const heif = (major: string, ...others: string[]) =>
  bytes(ftyp(major, ...others), meta(ispe(512, 512), ispe(4032, 3024)), box("mdat", [1, 2, 3, 4]));
const truncated = { unreadable: "truncated" };
const unknown = { unreadable: "unknown_type" };

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
    [
      "lossy WebP with hints to scale it",
      webp("VP8 ", [0, 0, 0, 0x9d, 0x01, 0x2a, 0x20, 0x43, 0x58, 0xc2]),
      { mediaType: "image/webp", width: 800, height: 600 },
    ],
    [
      "lossless WebP at its largest",
      webp("VP8L", [0x2f, 0xff, 0xff, 0xff, 0xff]),
      { mediaType: "image/webp", width: 16_384, height: 16_384 },
    ],
    [
      "extended WebP at its largest",
      webp("VP8X", [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]),
      { mediaType: "image/webp", width: 16_777_216, height: 65_536 },
    ],
    ["tiled HEIC", heif("heic", "mif1"), { mediaType: "image/heic", width: 4032, height: 3024 }],
    ["HEIF", heif("mif1", "msf1"), { mediaType: "image/heif", width: 4032, height: 3024 }],
    [
      "HEIF of more than one kind",
      heif("mif1", "miaf"),
      { mediaType: "image/heif", width: 4032, height: 3024 },
    ],
  ])("tells type and size of a %s", (_name, file, expected) => {
    expect(inspect([file])).toEqual(expected);
  });

  it.each([
    ["GIF", bytes(ascii("GIF89a"), [1, 0, 1, 0])],
    ["SVG", bytes(ascii('<svg xmlns="http://www.w3.org/2000/svg"/>'))],
    ["AVIF", heif("avif", "mif1")],
    ["sequence of AVIF", heif("avis", "msf1")],
    ["WAVE", bytes(ascii("RIFF"), le32(4), ascii("WAVE"), ascii("VP8X"), [0, 0, 0, 0])],
    ["WebP outside of RIFF", bytes(ascii("LIST"), le32(4), ascii("WEBP"), ascii("VP8X"), [0, 0, 0, 0])],
    ["WebP of a kind to come", webp("VP9 ", [0, 0, 0, 0])],
    ["MP3", bytes([0xff, 0xfb, 0x90, 0x00], new Array(40).fill(0))],
    ["file whose version spells a brand", bytes(box("ftyp", ascii("isomheicmp42")))],
    ["file that spells a brand behind its list", bytes(ftyp("isom"), ascii("heic"), meta(ispe(1, 1)))],
    ["MP4", heif("isom", "mp42")],
    [
      "PNG whose size stands elsewhere",
      bytes([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], pngChunk("tEXt", [...u32(10), ...u32(10), 0])),
    ],
    [
      "PNG whose first chunk is longer",
      bytes(
        [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
        pngChunk("IHDR", [...u32(10), ...u32(10), 8, 6, 0, 0, 0, 0]),
        pngChunk("IEND", []),
      ),
    ],
    [
      "PNG whose first chunk is another",
      bytes(
        [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
        pngChunk("iDOT", [...u32(10), ...u32(10), 8, 6, 0, 0, 0]),
        pngChunk("IEND", []),
      ),
    ],
    ["nothing", bytes()],
    ["text", bytes(ascii("hello, I am a banana"))],
  ])("knows no %s", (_name, file) => {
    expect(inspect([file])).toEqual(unknown);
  });

  it.each([
    ["PNG", png(10, 10, false)],
    ["JPEG", jpeg(0xc0, false)],
    ["JPEG header", jpeg(0xc0).subarray(0, 30)],
    ["WebP", webp("VP8X", [0, 0, 0, 0, 0x1f, 0x03, 0, 0x57, 0x02, 0]).subarray(0, 25)],
    ["HEIC", heif("heic").subarray(0, -2)],
  ])("notices that the end of a %s is missing", (_name, file) => {
    expect(inspect([file])).toEqual(truncated);
  });

  const webpFile = webp("VP8X", [0, 0, 0, 0, 0x1f, 0x03, 0, 0x57, 0x02, 0, ...new Array(40).fill(0)]);

  it.each([
    ["PNG", png(1024, 768).subarray(0, -4), 8], // nobody needs its last checksum
    ["JPEG", jpeg(0xc0), 3],
    ["WebP", webpFile, 12],
    ["HEIC", bytes(ftyp("heic", "mif1"), box("mdat", [1, 2, 3]), meta(ispe(8, 6))), 9],
  ])(
    "tells a %s that was cut off from something unknown as soon as its type is there",
    (_name, file, typed) => {
      expect(inspect([file])).not.toHaveProperty("unreadable");
      for (let length = 0; length < file.length; length += 1) {
        const expected = length < typed ? unknown : truncated;
        expect(inspect([file.subarray(0, length)]), `${length} bytes`).toEqual(expected);
      }
    },
  );

  it.each([
    ["PNG of no width", png(0, 10)],
    ["PNG of no height", png(10, 0)],
    ["JPEG with no frame before its scan", bytes([0xff, 0xd8], segment(0xda, [1]), [0xff, 0xd9])],
    ["JPEG whose segment ends where no marker is", jpeg(0xc0, true, [0x00, 0xfe, 0, 2])],
    ["JPEG whose data has half an end marker", bytes([...jpeg(0xc0, false)], [0x00, 0xd9, 0xff])],
    [
      "HEIC that was cut off behind a box's head",
      bytes(ftyp("heic"), meta(ispe(8, 8)), u32(99), ascii("mdat")),
    ],
    ["HEIC that tells no size", bytes(ftyp("heic"), meta())],
    ["HEIC with a box too short for its own header", bytes(ftyp("heic"), u32(4), meta(ispe(8, 8)))],
    [
      "HEIC with a part that is longer than the whole",
      bytes(
        ftyp("heic"),
        box("iprp", [...u32(99), ...ascii("ipco"), ...ispe(8, 8)]),
        meta(ispe(8, 8)),
        new Array(99).fill(0),
      ),
    ],
  ])("can't use a %s", (_name, file) => {
    expect(inspect([file])).toEqual(truncated);
  });

  it("takes a JPEG's size from its frame alone, of whatever kind", () => {
    const frames = [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];
    for (let marker = 0x02; marker < 0xff; marker += 1) {
      if (marker >= 0xd0 && marker <= 0xda) continue; // these have no length, or begin the scan
      const isFrame = frames.includes(marker);
      const file = jpeg(0xc0, true, segment(marker, frameData(320, 200)));
      expect(inspect([file]), marker.toString(16)).toMatchObject({ width: isFrame ? 320 : 800 });
    }
  });

  it("takes a JPEG whose markers are padded", () => {
    const padded = [0xff, 0xff, 0xff, ...segment(0xfe, [1, 2, 3])];
    expect(inspect([jpeg(0xc0, true, padded)])).toMatchObject({ width: 800, height: 600 });
  });

  it.each([
    ["first", [ispe(4032, 3024), ispe(512, 512), ispe(100, 20)]],
    ["in the middle", [ispe(512, 512), ispe(4032, 3024), ispe(9_000, 2)]],
    ["last", [ispe(2, 9_000), ispe(512, 512), ispe(4032, 3024)]],
  ])("takes the largest picture of a HEIC for the whole, be it %s", (_place, sizes) => {
    expect(inspect([bytes(ftyp("heic"), meta(...sizes))])).toMatchObject({ width: 4032, height: 3024 });
  });

  it("reads HEIC boxes of every form: empty, of 64-bit length, and up to the end", () => {
    const empty = box("free", []);
    const large = [...u32(1), ...ascii("mdat"), ...u32(0), ...u32(20), 1, 2, 3, 4];
    const open = [...u32(0), ...ascii("mdat"), 1, 2, 3, 4, 5, 6, 7];
    const file = bytes(ftyp("heic"), empty, large, meta(ispe(8, 6)), empty, open);
    expect(inspect([file])).toEqual({ mediaType: "image/heic", width: 8, height: 6 });
    expect(inspect([bytes(ftyp("heic"), meta(ispe(8, 6)), empty)])).toMatchObject({ width: 8 });
  });

  it("looks for no brand beyond the first few", () => {
    const others = (count: number) => new Array<string>(count).fill("mp42");
    const file = (count: number) => bytes(ftyp("isom", ...others(count), "heic"), meta(ispe(8, 6)));
    expect(inspect([file(59)])).toMatchObject({ mediaType: "image/heic" });
    expect(inspect([file(60)])).toEqual(unknown);
  });

  it("doesn't take a fault of the machine for one of the file", () => {
    const broken = new Proxy(png(10, 10), {
      get(target, key) {
        if (key === "16") throw new Error("Bus error");
        return Reflect.get(target, key, target);
      },
    });
    expect(() => inspect([broken])).toThrow("Bus error");
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
    expect(inspect([file])).toEqual(truncated);
    expect(performance.now() - startedAt).toBeLessThan(50);
  });

  it("takes a picture with bytes behind its end, as cameras write them", () => {
    expect(inspect([bytes([...png(5, 5)], ascii("trailer"))])).toMatchObject({ width: 5 });
    expect(inspect([bytes([...jpeg(0xc0)], [0, 0, 0])])).toMatchObject({ width: 800 });
  });
});
