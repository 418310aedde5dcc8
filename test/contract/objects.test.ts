import { s3Objects } from "@plantain/aws/s3-objects";
import { s3SignedUrls } from "@plantain/aws/s3-signed-urls";
import { sha256Hex } from "@plantain/core/hash";
import type { Objects } from "@plantain/core/job/ports";
import { memoryObjects } from "@plantain/memory/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emulatedBucket } from "./emulators.ts";

const encoded = (text: string) => new TextEncoder().encode(text);
const about = (text: string) => ({ mediaType: "image/png", sha256: sha256Hex(text) });

/** What every implementation of the `Objects` port does. */
function objectsContract(name: string, start: () => Promise<{ objects: Objects; stop(): Promise<void> }>) {
  describe(`Objects, ${name}`, () => {
    let objects: Objects;
    let stop: () => Promise<void>;
    beforeAll(async () => ({ objects, stop } = await start()));
    afterAll(() => stop());

    it("gives back what was stored, in one piece or several", async () => {
      await objects.put("a/one", [encoded("banana")], about("banana"));
      await objects.put("a/two", [encoded("ban"), encoded("ana")], about("banana"));
      expect(await objects.get("a/one")).toEqual(encoded("banana"));
      expect(await objects.get("a/two")).toEqual(encoded("banana"));
      expect(await objects.size("a/one")).toBe(6);
      expect(await objects.size("a/two")).toBe(6);
    });

    it("has nothing at a key where nothing is", async () => {
      expect(await objects.get("nothing")).toBeNull();
      expect(await objects.size("nothing")).toBeNull();
      expect(await objects.size("a/on")).toBeNull();
    });

    it("takes the same bytes again as stored, and refuses others", async () => {
      await objects.put("b/1", [encoded("banana")], about("banana"));
      await objects.put("b/1", [encoded("banana")], about("banana"));
      await expect(objects.put("b/1", [encoded("apple")], about("apple"))).rejects.toThrow(
        "other bytes are there",
      );
      expect(await objects.get("b/1")).toEqual(encoded("banana"));
    });

    it("lets exactly one of many writers of other bytes through", async () => {
      const texts = Array.from({ length: 10 }, (_, n) => `writer ${n}`);
      const written = await Promise.allSettled(
        texts.map((text) => objects.put("c/1", [encoded(text)], about(text))),
      );
      const winners = texts.filter((_, n) => written[n]?.status === "fulfilled");
      expect(winners).toHaveLength(1);
      expect(await objects.get("c/1")).toEqual(encoded(winners[0] ?? ""));
    });

    it("refuses bytes that don't have the hash they are said to have", async () => {
      await expect(objects.put("d/1", [encoded("banana")], about("apple"))).rejects.toThrow();
      expect(await objects.size("d/1")).toBeNull();
    });

    it("removes what it is told to, and minds nothing that isn't there", async () => {
      for (const key of ["g/1", "g/2", "g/3"]) await objects.put(key, [encoded(key)], about(key));
      await objects.remove(["g/1", "g/3", "g/none"]);
      await objects.remove([]);
      expect(await objects.list("g/")).toEqual(["g/2"]);
      await objects.put("g/1", [encoded("another")], about("another"));
      expect(await objects.get("g/1")).toEqual(encoded("another"));
    });

    it("removes more than one request can name", async () => {
      const keys = Array.from({ length: 1_005 }, (_, n) => `h/${n}`);
      await Promise.all(keys.map((key) => objects.put(key, [encoded("x")], about("x"))));
      await objects.remove(keys);
      expect(await objects.list("h/")).toEqual([]);
    });

    it("lists the keys under a prefix, and no others", async () => {
      for (const key of ["e/1/x", "e/1/y", "e/10/x"]) await objects.put(key, [encoded(key)], about(key));
      expect((await objects.list("e/1/")).toSorted()).toEqual(["e/1/x", "e/1/y"]);
      expect(await objects.list("e/2/")).toEqual([]);
    });
  });
}

objectsContract("in memory", async () => ({ objects: memoryObjects(), stop: async () => undefined }));
objectsContract("on S3", async () => {
  const { client, name, stop } = await emulatedBucket();
  return { objects: s3Objects(client, name), stop };
});

describe("signed URLs", () => {
  it("give anybody the image, under a readable name, until they expire", async () => {
    const { client, name, stop } = await emulatedBucket();
    try {
      await s3Objects(client, name).put("out/1", [encoded("banana")], about("banana"));
      const urls = s3SignedUrls(client, name);
      const { url, expiresAt } = await urls.sign("out/1", Date.now(), "job-0.png");
      const response = await fetch(url);
      expect(await response.text()).toBe("banana");
      expect(response.headers.get("content-type")).toBe("image/png");
      expect(response.headers.get("content-disposition")).toBe('inline; filename="job-0.png"');
      expect(expiresAt - Date.now()).toBeGreaterThan(600_000 - 1_000);
      const { url: old } = await urls.sign("out/1", Date.now() - 1_800_000, "job-0.png");
      expect((await fetch(old)).status).toBe(403);
      expect((await fetch(url.replace("out/1", "out/2"))).status).toBe(403);
    } finally {
      await stop();
    }
  });

  it("are the same for five minutes, so that an answer's ETag can be", async () => {
    const { client, name, stop } = await emulatedBucket();
    try {
      const urls = s3SignedUrls(client, name);
      const start = Date.UTC(2026, 10, 1);
      const { url } = await urls.sign("out/1", start, "x");
      expect((await urls.sign("out/1", start + 299_999, "x")).url).toBe(url);
      expect((await urls.sign("out/1", start + 300_000, "x")).url).not.toBe(url);
    } finally {
      await stop();
    }
  });
});
