import { createHash } from "node:crypto";
import type { Bytes } from "@plantain/core/job/ports";
import { BrokenReply } from "./broken-reply.ts";

/** A picture that has arrived, with its SHA-256 in hex. */
export type Picture = { readonly bytes: Bytes; readonly size: number; readonly sha256: string };

/** A picture while it arrives. */
export type ArrivingPicture = {
  /** Takes the next characters of base64, however they were cut. */
  write(base64: string): void;
  end(): Picture;
};

/** Memory is taken in pieces as large as all before, from the smallest to the largest. */
const smallestPiece = 2 ** 16;
const largestPiece = 2 ** 20;

/**
 * Decodes base64 as it arrives into pieces, so that no picture is ever copied together. The standard and the URL-safe
 * alphabet are taken, with or without padding.
 * @throws BrokenReply on anything else, and beyond `maxBytes`
 */
export function arrivingPicture(maxBytes: number): ArrivingPicture {
  const hash = createHash("sha256");
  const full: Uint8Array[] = [];
  let piece = Buffer.alloc(0);
  let filled = 0;
  let size = 0;
  // The last one to four characters wait: only what follows tells whether they are the padded end.
  let waiting = "";

  function decode(quads: string, bytes: number): void {
    if (size + bytes > maxBytes) {
      throw new BrokenReply("too_large", `Cannot take a picture of more than ${maxBytes} bytes`);
    }
    const room = piece.length - filled;
    const fitting = Math.min(bytes, room - (room % 3));
    fill(quads.slice(0, Math.ceil((fitting * 4) / 3)), fitting);
    if (fitting === bytes) return;
    if (filled > 0) full.push(piece.subarray(0, filled));
    piece = Buffer.allocUnsafeSlow(Math.max(smallestPiece, Math.min(size, largestPiece)));
    filled = 0;
    decode(quads.slice((fitting / 3) * 4), bytes - fitting);
  }

  /** Node skips what is not base64 without a word, so that a short count is the only sign of it. */
  function fill(quads: string, bytes: number): void {
    if (piece.write(quads, filled, bytes, "base64") !== bytes) {
      throw new BrokenReply("bad_base64", "Cannot decode a picture: it is not base64");
    }
    hash.update(piece.subarray(filled, filled + bytes));
    filled += bytes;
    size += bytes;
  }

  return {
    write(base64) {
      if (waiting.length + base64.length <= 4) {
        waiting += base64;
        return;
      }
      const from = waiting === "" ? 0 : 4 - waiting.length;
      if (waiting !== "") decode(waiting + base64.slice(0, from), 3);
      const to = base64.length - (((base64.length - from - 1) & 3) + 1);
      if (to > from) decode(base64.slice(from, to), ((to - from) / 4) * 3);
      waiting = base64.slice(to);
    },

    end() {
      const last = waiting.length === 4 ? waiting.replace(/={1,2}$/, "") : waiting;
      if (last.length === 1)
        throw new BrokenReply("bad_base64", "Cannot decode a picture: its base64 is cut");
      decode(last, Math.floor((last.length * 3) / 4));
      return { bytes: [...full, piece.subarray(0, filled)], size, sha256: hash.digest("hex") };
    },
  };
}

/** Gives a picture's memory back at once, without waiting for the garbage collector. */
export function release({ bytes }: Picture): void {
  for (const { buffer } of bytes) if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
