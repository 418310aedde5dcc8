import { memoryObjects } from "@plantain/memory/objects";
import { pngHeader } from "@plantain/memory/png";
import { sampleJob } from "@plantain/memory/samples";
import { beforeEach, describe, expect, it } from "vitest";
import { sha256Hex } from "../hash.ts";
import { linkedKey, loadImage, loadImages } from "./inputs.ts";
import { inputKey } from "./keys.ts";
import type { Objects } from "./ports.ts";
import type { InputImage } from "./request.ts";

const job = sampleJob();
const bytesOf = (text: string) => new TextEncoder().encode(text);
const about = (text: string) => ({ mediaType: "image/webp", sha256: sha256Hex(text) }) as const;

/** A reference image whose bytes are this text; with a key, one that still lies with an earlier job. */
function input(text: string, key: string | null = null): InputImage {
  return {
    ...about(text),
    bytes: text.length,
    width: 1,
    height: 1,
    source: key === null ? null : { jobId: sampleJob().id, index: 0, key },
  };
}

describe("a reference image", () => {
  let objects: Objects;
  beforeEach(() => {
    objects = memoryObjects();
  });

  const store = (key: string, text: string) => objects.put(key, [bytesOf(text)], about(text));
  const kept = (text: string) => inputKey(job, sha256Hex(text));

  it("comes from the job's own prefix", async () => {
    await store(kept("mine"), "mine");
    expect(await loadImage(objects, job, input("mine"))).toEqual({
      mediaType: "image/webp",
      bytes: bytesOf("mine"),
    });
  });

  it("of an earlier job is copied there, and is the same when that job is gone", async () => {
    await store("out/earlier", "theirs");
    const image = input("theirs", "out/earlier");
    const expected = { mediaType: "image/webp", bytes: bytesOf("theirs") };
    expect(await loadImage(objects, job, image)).toEqual(expected);
    const get: Objects["get"] = (key) => (key === "out/earlier" ? Promise.resolve(null) : objects.get(key));
    expect(await loadImage({ ...objects, get }, job, image)).toEqual(expected);
  });

  it("of an earlier job isn't looked for there once it is copied", async () => {
    await store(kept("theirs"), "theirs");
    const read: string[] = [];
    const get: Objects["get"] = (key) => {
      read.push(key);
      return objects.get(key);
    };
    await loadImage({ ...objects, get }, job, input("theirs", "out/earlier"));
    expect(read).toEqual([kept("theirs")]);
  });

  it("that is nowhere is null, and nothing is stored for it", async () => {
    expect(await loadImage(objects, job, input("gone"))).toBeNull();
    expect(await loadImage(objects, job, input("gone", "out/earlier"))).toBeNull();
    expect(await objects.list("")).toEqual([]);
  });

  it("by URL is what was fetched for the job, with what its bytes say of it", async () => {
    const image = { url: "https://example.com/cat" };
    expect(await loadImage(objects, job, image)).toBeNull();
    const bytes = pngHeader(3, 2);
    const sha256 = sha256Hex(bytes);
    await objects.put(linkedKey(job, image), [bytes], { mediaType: "image/png", sha256 });
    const fetched = { ...image, sha256, mediaType: "image/png", bytes: 45, width: 3, height: 2 };
    expect(await loadImage(objects, job, image)).toEqual({ mediaType: "image/png", bytes, fetched });
    expect(await loadImage(objects, sampleJob(), image)).toBeNull();
    expect(linkedKey(job, image)).toBe(inputKey(job, sha256Hex(image.url)));
  });

  it("by URL is a fault where what is kept is no picture, which nobody would have kept", async () => {
    const image = { url: "https://example.com/cat" };
    await store(linkedKey(job, image), "a page");
    await expect(loadImage(objects, job, image)).rejects.toThrow(
      `Cannot read a fetched image of job "${job.id}": by its bytes it is none of PNG`,
    );
  });

  it("keeps its place among the others", async () => {
    for (const text of ["a", "b", "c"]) await store(kept(text), text);
    const loaded = await loadImages(
      objects,
      job,
      ["c", "a", "b"].map((text) => input(text)),
    );
    expect(loaded?.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(["c", "a", "b"]);
  });

  it("that is gone leaves no set that could be used", async () => {
    await store(kept("a"), "a");
    expect(await loadImages(objects, job, [input("a"), input("gone")])).toBeNull();
    expect(await loadImages(objects, job, [])).toEqual([]);
  });
});
