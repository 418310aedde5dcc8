import { type ByteReader, byteReader } from "./byte-reader.ts";

/** Picture types that Gemini takes and gives. */
export const mediaTypes = ["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"] as const;
export type MediaType = (typeof mediaTypes)[number];

/** What a picture's own bytes say of it. */
export type Inspection = { readonly mediaType: MediaType; readonly width: number; readonly height: number };

/** Why bytes are not a picture we take. */
export type Unreadable = { readonly unreadable: "unknown_type" | "truncated" };

/**
 * Type and pixel size from a picture's header, and whether its end is there; nothing is decoded, so that a
 * decompression bomb costs nothing. What a file calls itself is never asked.
 */
export function inspect(pieces: readonly Uint8Array[]): Inspection | Unreadable {
  const bytes = byteReader(pieces);
  try {
    if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return png(bytes);
    if (startsWith(bytes, [0xff, 0xd8, 0xff])) return jpeg(bytes);
    if (hasText(bytes, 0, "RIFF") && hasText(bytes, 8, "WEBP")) return webp(bytes);
    if (hasText(bytes, 4, "ftyp")) return heif(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { unreadable: "truncated" }; // a read past the end
  }
  return { unreadable: "unknown_type" };
}

function png(bytes: ByteReader): Inspection | Unreadable {
  if (bytes.u32(8) !== 13 || bytes.ascii(12, 4) !== "IHDR") return { unreadable: "unknown_type" };
  const found = measured("image/png", bytes.u32(16), bytes.u32(20));
  for (let at = 8; ; ) {
    const length = bytes.u32(at);
    if (bytes.ascii(at + 4, 4) === "IEND") return found;
    at += 12 + length;
  }
}

function jpeg(bytes: ByteReader): Inspection | Unreadable {
  let found: Inspection | Unreadable = { unreadable: "truncated" };
  for (let at = 2; ; ) {
    if (bytes.u8(at) !== 0xff) return { unreadable: "truncated" };
    const marker = bytes.u8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) found = measured("image/jpeg", bytes.u16(at + 7), bytes.u16(at + 5));
    if (marker === 0xda) return endsJpeg(bytes, at) ? found : { unreadable: "truncated" };
    at += 2 + bytes.u16(at + 2);
  }
}

/** The end-of-image marker can't occur inside entropy-coded data, where each 0xff is followed by a 0x00 or restart. */
function endsJpeg(bytes: ByteReader, scanAt: number): boolean {
  for (let at = bytes.length - 2; at > scanAt; at -= 1) {
    if (bytes.u8(at) === 0xff && bytes.u8(at + 1) === 0xd9) return true;
  }
  return false;
}

function webp(bytes: ByteReader): Inspection | Unreadable {
  if (bytes.u32(4, true) + 8 > bytes.length) return { unreadable: "truncated" };
  const u24 = (at: number) => bytes.u16(at, true) + (bytes.u8(at + 2) << 16);
  switch (bytes.ascii(12, 4)) {
    case "VP8 ":
      return measured("image/webp", bytes.u16(26, true) & 0x3fff, bytes.u16(28, true) & 0x3fff);
    case "VP8L": {
      const bits = bytes.u32(21, true);
      return measured("image/webp", (bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    }
    case "VP8X":
      return measured("image/webp", u24(24) + 1, u24(27) + 1);
    default:
      return { unreadable: "unknown_type" };
  }
}

const heicBrands = ["heic", "heix", "heim", "heis", "hevc", "hevx"];
const heifBrands = ["mif1", "msf1", "heif"];
const mostBrandBytes = 256;

function heif(bytes: ByteReader): Inspection | Unreadable {
  const brands: string[] = [];
  // What a file says of its own length is not believed
  const end = Math.min(bytes.u32(0), bytes.length, mostBrandBytes);
  for (let at = 8; at < end; at += 4) if (at !== 12) brands.push(bytes.ascii(at, 4));
  const isHeic = brands.some((brand) => heicBrands.includes(brand));
  if (brands.includes("avif") || brands.includes("avis")) return { unreadable: "unknown_type" };
  if (!isHeic && !brands.some((brand) => heifBrands.includes(brand))) return { unreadable: "unknown_type" };
  const sizes = spatialExtents(bytes, 0, bytes.length);
  const largest = sizes.sort((a, b) => b[0] * b[1] - a[0] * a[1])[0];
  if (!largest) return { unreadable: "truncated" };
  return measured(isHeic ? "image/heic" : "image/heif", ...largest);
}

/** The `ispe` boxes (width and height of each picture or tile) of an ISO base media file. */
function spatialExtents(bytes: ByteReader, from: number, to: number): [number, number][] {
  const found: [number, number][] = [];
  for (let at = from; at + 8 <= to; ) {
    const type = bytes.ascii(at + 4, 4);
    const small = bytes.u32(at);
    const size = small === 1 ? bytes.u64(at + 8) : small === 0 ? to - at : small;
    if (size < 8 || at + size > to) throw new RangeError("Box runs past the end");
    if (type === "ispe") found.push([bytes.u32(at + 12), bytes.u32(at + 16)]);
    if (type === "meta") found.push(...spatialExtents(bytes, at + 12, at + size));
    if (type === "iprp" || type === "ipco") found.push(...spatialExtents(bytes, at + 8, at + size));
    at += size;
  }
  return found;
}

function measured(mediaType: MediaType, width: number, height: number): Inspection | Unreadable {
  return width > 0 && height > 0 ? { mediaType, width, height } : { unreadable: "truncated" };
}

function startsWith(bytes: ByteReader, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, at) => bytes.u8(at) === byte);
}

function hasText(bytes: ByteReader, at: number, text: string): boolean {
  return bytes.length >= at + text.length && bytes.ascii(at, text.length) === text;
}
