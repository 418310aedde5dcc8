import { loadImage } from "@napi-rs/canvas";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generateWith, prompted, replyOf } from "../client-for-tests.ts";
import { sniff } from "../image-bytes.ts";
import { type Simulator, startSimulator } from "../simulator.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());
beforeEach(() => simulator.reset());

const model = "gemini-3.1-flash-image";
const small = { responseModalities: ["IMAGE"], imageConfig: { imageSize: "512" } };

async function strike(marker: string, config: object = small) {
  const reply = await generateWith(simulator.url, model, prompted(`A fox [[sim:${marker}]]`, config));
  expect(reply.status).toBe(200);
  return replyOf(reply.json());
}

describe("an unusual image", () => {
  it("MULTI_IMAGE gives several unmarked images, each billed, each signed", async () => {
    const { parts, images } = await strike("MULTI_IMAGE:3");
    expect(images).toHaveLength(3);
    expect(new Set(images.map((image) => image.data)).size).toBe(3);
    expect(parts.every((part) => part.thought === undefined && part.thoughtSignature !== undefined)).toBe(
      true,
    );
    expect(simulator.ledger().calls[0]).toMatchObject({ images: 3, costTokens: { outputImage: 3 * 747 } });
  });

  it("THOUGHT_IMAGES come first, unsigned and free; the last of them equals the final image", async () => {
    const { parts, images } = await strike("THOUGHT_IMAGES");
    expect(parts.map((part) => part.thought ?? false)).toEqual([true, true, false]);
    expect(parts.map((part) => part.thoughtSignature !== undefined)).toEqual([false, false, true]);
    expect(images[1]?.data).toBe(images[2]?.data);
    expect(images[0]?.data).not.toBe(images[2]?.data);
    expect(simulator.ledger().calls[0]).toMatchObject({ images: 1, costTokens: { outputImage: 747 } });
  });

  it("WRONG_MIME declares another type than the bytes have", async () => {
    const [image] = (await strike("WRONG_MIME")).images;
    expect(image?.mimeType).toBe("image/jpeg");
    expect(sniff(Buffer.from(image?.data ?? "", "base64"))).toBe("image/png");
  });

  it("WRONG_SIZE ignores the tier asked for", async () => {
    const [image] = (await strike("WRONG_SIZE", { imageConfig: { imageSize: "2K" } })).images;
    const picture = await loadImage(Buffer.from(image?.data ?? "", "base64"));
    expect([picture.width, picture.height]).toEqual([1024, 1024]);
  });

  it("NO_SIGNATURE leaves it out", async () => {
    const { parts } = await strike("NO_SIGNATURE", { imageConfig: { imageSize: "512" } });
    expect(parts.map((part) => part.thoughtSignature)).toEqual([undefined, undefined]);
  });

  it("BIG_SIGNATURE issues one of 1 MB that is accepted when sent back", async () => {
    const { candidate, parts } = await strike("BIG_SIGNATURE");
    expect(Buffer.from(parts[0]?.thoughtSignature ?? "", "base64")).toHaveLength(1_000_000);
    const contents = [
      { role: "user", parts: [{ text: "A fox" }] },
      candidate.content,
      { role: "user", parts: [{ text: "Bluer [[sim:NO_IMAGE]]" }] },
    ];
    expect((await generateWith(simulator.url, model, { contents })).status).toBe(200);
  });
});
