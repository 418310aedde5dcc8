import { describe, expect, it } from "vitest";
import { blocks } from "./blocks.ts";

const bytes = (length: number, from = 0) => Uint8Array.from({ length }, (_, at) => (from + at) % 251);

describe("bytes that are kept", () => {
  it.each([
    ["none", []],
    ["an empty chunk", [0]],
    ["less than a block", [3, 4]],
    ["a block exactly", [65_536]],
    ["two blocks exactly, in uneven chunks", [1, 131_071]],
    ["more than fits a block at once", [65_000, 200_000, 1]],
  ])("are all there in order: %s", (_name, lengths) => {
    const kept = blocks();
    let sent = 0;
    for (const length of lengths) {
      kept.add(bytes(length, sent));
      sent += length;
    }
    expect(kept.size).toBe(sent);
    expect(Buffer.concat(kept.pieces()).equals(bytes(sent))).toBe(true);
    expect(kept.pieces().length).toBe(Math.ceil(sent / 65_536));
  });

  it("have memory of their own, however little of a buffer each came in", () => {
    const kept = blocks();
    const buffer = new ArrayBuffer(65_536);
    for (let at = 0; at < 1_000; at += 1) kept.add(new Uint8Array(buffer, at, 1));
    const [piece, ...others] = kept.pieces();
    expect(others).toEqual([]);
    expect(piece?.buffer).not.toBe(buffer);
  });
});
