type ImageType =
  | "image/png"
  | "image/jpeg"
  | "image/webp"
  | "image/heic"
  | "image/heif"
  | "image/gif"
  | "application/pdf";

const pngMagic = Buffer.from("89504e470d0a1a0a", "hex");

/** What the bytes say they are, whatever was declared; null when it is nothing known. */
export function sniff(bytes: Buffer): ImageType | null {
  if (bytes.subarray(0, 8).equals(pngMagic)) return "image/png";
  if (bytes.length > 2 && bytes.readUIntBE(0, 3) === 0xff_d8_ff) return "image/jpeg";
  const head = bytes.toString("latin1", 0, 12);
  if (head.startsWith("RIFF") && head.endsWith("WEBP")) return "image/webp";
  if (head.startsWith("GIF8")) return "image/gif";
  if (head.startsWith("%PDF-")) return "application/pdf";
  if (head.slice(4, 8) === "ftyp") {
    if (/^(heic|heix|hevc|hevx)/.test(head.slice(8))) return "image/heic";
    if (/^(mif1|msf1)/.test(head.slice(8))) return "image/heif";
  }
  return null;
}

/** Whether the file is all there: decoders forgive a missing tail, Google does not. */
export function isComplete(bytes: Buffer, type: ImageType): boolean {
  switch (type) {
    case "image/png":
      return endsPng(bytes);
    case "image/jpeg":
      return endsJpeg(bytes);
    case "image/webp":
      return bytes.length >= 12 && bytes.readUInt32LE(4) + 8 <= bytes.length;
    case "image/heic":
    case "image/heif":
      return endsBoxes(bytes);
    case "image/gif":
    case "application/pdf":
      return true;
  }
}

function endsPng(bytes: Buffer): boolean {
  let offset = 8;
  while (offset + 12 <= bytes.length) {
    const next = offset + 12 + bytes.readUInt32BE(offset);
    if (bytes.toString("latin1", offset + 4, offset + 8) === "IEND") return next <= bytes.length;
    offset = next;
  }
  return false;
}

/** The end marker counts only after the scan has begun: an embedded thumbnail has one of its own. */
function endsJpeg(bytes: Buffer): boolean {
  const scan = jpegSegments(bytes).find(({ marker }) => marker === 0xda);
  return scan !== undefined && bytes.indexOf(Buffer.from([0xff, 0xd9]), scan.start) !== -1;
}

/** Segments up to the first scan; `start` is the offset of the 0xFF of the marker. */
function jpegSegments(bytes: Buffer): { marker: number; start: number }[] {
  const segments: { marker: number; start: number }[] = [];
  let offset = 2;
  while (offset + 4 <= bytes.length && bytes[offset] === 0xff) {
    const marker = bytes.readUInt8(offset + 1);
    segments.push({ marker, start: offset });
    if (marker === 0xda) break;
    offset += 2 + bytes.readUInt16BE(offset + 2);
  }
  return segments;
}

function endsBoxes(bytes: Buffer): boolean {
  let offset = 0;
  while (offset + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(offset);
    if (size === 0) return true;
    if (size === 1 && offset + 16 > bytes.length) return false;
    const length = size === 1 ? Number(bytes.readBigUInt64BE(offset + 8)) : size;
    if (length < 8) return false;
    offset += length;
  }
  return offset === bytes.length;
}
