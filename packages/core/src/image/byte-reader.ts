/** Numbers and letters at any place of bytes that lie in pieces. Every read past the end throws RangeError. */
export type ByteReader = {
  readonly length: number;
  u8(at: number): number;
  /** Big-endian unless told otherwise, as all of these. */
  u16(at: number, isLittle?: boolean): number;
  u32(at: number, isLittle?: boolean): number;
  u64(at: number): number;
  ascii(at: number, length: number): string;
};

/** Reads where the bytes are: a large picture isn't copied together to look at its header. */
export function byteReader(pieces: readonly Uint8Array[]): ByteReader {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  let piece: Uint8Array = new Uint8Array();
  let from = 0;
  let index = -1;

  function u8(at: number): number {
    if (at < 0 || at >= length) throw new RangeError(`Cannot read byte ${at} of ${length}`);
    if (at < from) {
      index = -1;
      from = 0;
      piece = new Uint8Array();
    }
    while (at >= from + piece.length) {
      from += piece.length;
      index += 1;
      piece = pieces[index] ?? new Uint8Array();
    }
    return piece[at - from] ?? 0;
  }

  const bytes = (at: number, count: number) => Array.from({ length: count }, (_, n) => u8(at + n));
  const whole = (digits: readonly number[]) => digits.reduce((sum, byte) => sum * 256 + byte, 0);
  const number =
    (count: number) =>
    (at: number, isLittle = false) =>
      whole(isLittle ? bytes(at, count).reverse() : bytes(at, count));

  return {
    length,
    u8,
    u16: number(2),
    u32: number(4),
    u64: number(8),
    ascii: (at, count) => String.fromCharCode(...bytes(at, count)),
  };
}
