import { describe, expect, it } from "vitest";
import { imagePart } from "./client-for-tests.ts";
import { isComplete, sniff } from "./image-bytes.ts";

const latin = (text: string) => Buffer.from(text, "latin1");

describe("image bytes", () => {
  it.each([
    ["image/gif", latin("GIF89a......")],
    ["application/pdf", latin("%PDF-1.7 ....")],
    ["image/heic", latin("\0\0\0\x10ftypheix....")],
    ["image/heif", latin("\0\0\0\x10ftypmif1....")],
    [null, latin("<svg xmlns=")],
    [null, Buffer.alloc(0)],
  ])("are known as %s by their first bytes", (type, bytes) => {
    expect(sniff(bytes)).toBe(type);
  });

  it.each(["png", "jpeg", "webp"] as const)("of a %s are complete whole and not cut off", async (type) => {
    const { inlineData } = await imagePart(type);
    const bytes = Buffer.from(inlineData.data, "base64");
    const mimeType = `image/${type}` as const;
    expect(sniff(bytes)).toBe(mimeType);
    expect(isComplete(bytes, mimeType)).toBe(true);
    expect(isComplete(bytes.subarray(0, -3), mimeType)).toBe(false);
    expect(isComplete(Buffer.concat([bytes, latin("trailing")]), mimeType)).toBe(true);
  });

  it("of a cut JPEG are not saved by the end marker of a thumbnail inside", async () => {
    const { inlineData } = await imagePart("jpeg");
    const bytes = Buffer.from(inlineData.data, "base64");
    const thumbnail = Buffer.from([0xff, 0xe1, 0x00, 0x06, 0x00, 0x00, 0xff, 0xd9]);
    const whole = Buffer.concat([bytes.subarray(0, 2), thumbnail, bytes.subarray(2)]);
    expect(isComplete(whole, "image/jpeg")).toBe(true);
    expect(isComplete(whole.subarray(0, -20), "image/jpeg")).toBe(false);
  });

  it("of HEIC are complete when its boxes fill the file", () => {
    const box = latin("\0\0\0\x10ftypheic\0\0\0\0\0\0\0\x0cmdat\0\0\0\0");
    expect(isComplete(box, "image/heic")).toBe(true);
    expect(isComplete(box.subarray(0, -1), "image/heic")).toBe(false);
  });
});
