/**
 * A PNG of this size without any pixels, for tests in which nobody decodes it.
 * @param bytes its length, 45 at least: what follows the end of a PNG is nobody's business
 */
export function pngHeader(width: number, height: number, bytes = 45): Uint8Array<ArrayBuffer> {
  const png = Buffer.alloc(bytes);
  png.write("\x89PNG\r\n\x1a\n", "latin1");
  png.writeUInt32BE(13, 8);
  png.write("IHDR", 12);
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.write("IEND", 37);
  return new Uint8Array(png);
}
