import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteReader } from "./byte-reader.ts";

/** Bytes, and the same in pieces, empty ones among them. */
const inPieces = fc
  .tuple(fc.uint8Array({ minLength: 8, maxLength: 40 }), fc.array(fc.nat(40), { maxLength: 6 }))
  .map(([whole, cuts]) => {
    const ends = [...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].sort((a, b) => a - b);
    return { whole, pieces: ends.map((end, n) => whole.subarray(ends[n - 1] ?? 0, end)) };
  });

describe("a reader of bytes in pieces", () => {
  it("reads what stands there, wherever the pieces end and in whatever order it is asked", () => {
    const places = fc.array(fc.nat(40), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(inPieces, places, ({ whole, pieces }, asked) => {
        const reader = byteReader(pieces);
        const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
        expect(reader.length).toBe(whole.length);
        for (const place of asked) {
          const at = place % (whole.length - 7);
          expect(reader.u8(at)).toBe(view.getUint8(at));
          expect(reader.u16(at)).toBe(view.getUint16(at));
          expect(reader.u16(at, true)).toBe(view.getUint16(at, true));
          expect(reader.u32(at)).toBe(view.getUint32(at));
          expect(reader.u32(at, true)).toBe(view.getUint32(at, true));
          const large = Number(view.getBigUint64(at));
          expect(Math.abs(reader.u64(at) - large), "exact as far as numbers are").toBeLessThanOrEqual(
            large * 2 ** -52,
          );
          expect(reader.ascii(at, 5)).toBe(Buffer.from(whole.subarray(at, at + 5)).toString("latin1"));
        }
      }),
    );
  });

  it("reads every byte, forwards and backwards", () => {
    fc.assert(
      fc.property(inPieces, ({ whole, pieces }) => {
        const reader = byteReader(pieces);
        const places = Array.from(whole.keys());
        for (const at of [...places, ...places.toReversed()]) expect(reader.u8(at)).toBe(whole[at]);
      }),
    );
  });

  it("reads nothing beyond its ends", () => {
    const reader = byteReader([Uint8Array.of(1, 2), Uint8Array.of(3)]);
    expect(() => reader.u8(3)).toThrow(new RangeError("Cannot read byte 3 of 3"));
    expect(() => reader.u8(-1)).toThrow(new RangeError("Cannot read byte -1 of 3"));
    expect(() => reader.u16(2)).toThrow(RangeError);
    expect(() => reader.u32(0)).toThrow(RangeError);
    expect(() => reader.ascii(0, 4)).toThrow(RangeError);
    expect(() => byteReader([]).u8(0)).toThrow(new RangeError("Cannot read byte 0 of 0"));
  });
});
