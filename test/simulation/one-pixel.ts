/** A PNG of one pixel whose bytes are unlike those of any other number: just what the header inspection reads. */
export function onePixel(number: number): Uint8Array {
  const chunk = (type: string, data: readonly number[]) => [
    ...[24, 16, 8, 0].map((shift) => (data.length >>> shift) & 255),
    ...Buffer.from(type, "latin1"),
    ...data,
    ...[0, 0, 0, 0],
  ];
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]),
    ...chunk("tEXt", [...Buffer.from(`number ${number}`, "latin1")]),
    ...chunk("IEND", []),
  ]);
}
