import { manualClock, seededRandom } from "@plantain/memory/clock";
import { downloaded, memoryDownloader } from "@plantain/memory/downloader";
import { memoryObjects } from "@plantain/memory/objects";
import { pngHeader } from "@plantain/memory/png";
import { sampleRegistry, sampleRequest, sampleRunning } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import { mostImageBytes } from "../conversation/continue.ts";
import { sha256Hex } from "../hash.ts";
import { fetchInputs, mostDownloadBytes } from "./fetch-inputs.ts";
import { inputKey } from "./keys.ts";
import { memoryBudget } from "./memory-budget.ts";
import type { Download, Downloader, Objects } from "./ports.ts";
import type { InputImage, JobRequest, ReferenceImage } from "./request.ts";

const job = sampleRunning();
const pro = sampleRegistry.choose("nano-banana-pro").model;
const a = "https://example.com/a";
const b = "https://example.com/b";
const keyOf = (url: string) => inputKey(job, sha256Hex(url));
const sent = (bytes: number): InputImage => ({
  sha256: "0".repeat(64),
  mediaType: "image/png",
  bytes,
  width: 1,
  height: 1,
  source: null,
});

function world() {
  const objects = memoryObjects();
  const downloader = memoryDownloader();
  const clock = manualClock();
  const ports: Parameters<typeof fetchInputs>[0] = {
    objects,
    downloader,
    clock,
    random: seededRandom(),
    memory: memoryBudget(1e9),
  };
  const fetched = (
    images: readonly (string | ReferenceImage)[],
    {
      about = {},
      change = {},
      model = pro,
      signal = new AbortController().signal,
    }: {
      about?: Partial<JobRequest>;
      change?: Partial<typeof ports>;
      model?: typeof pro;
      signal?: AbortSignal;
    } = {},
  ) => {
    const references = images.map((image) => (typeof image === "string" ? { url: image } : image));
    const request = sampleRequest({ ...about, images: references });
    return fetchInputs({ ...ports, ...change }, job, model, request, signal);
  };
  return { objects, downloader, clock, fetched };
}

describe("reference images by URL", () => {
  it("are kept under the job's own prefix, named by their URLs, and weighed", async () => {
    const { objects, downloader, fetched } = world();
    downloader.serve(a, downloaded(pngHeader(3, 2)));
    downloader.serve(b, downloaded(pngHeader(5, 4, 100)));
    expect(await fetched([a, sent(7), b])).toEqual({ bytes: 145 });
    expect(await objects.get(keyOf(a))).toEqual(pngHeader(3, 2));
    expect(await objects.get(keyOf(b))).toEqual(pngHeader(5, 4, 100));
  });

  it("are fetched once for the job: a later attempt doesn't ask again", async () => {
    const { downloader, fetched } = world();
    downloader.serve(a, downloaded(pngHeader(3, 2)), downloaded(pngHeader(9, 9, 90)));
    expect(await fetched([a])).toEqual({ bytes: 45 });
    expect(await fetched([a])).toEqual({ bytes: 45 });
    expect(downloader.asked).toEqual([a]);
  });

  it("are fetched once though a request names one twice, and weigh twice then", async () => {
    const { downloader, fetched } = world();
    downloader.serve(a, downloaded(pngHeader(3, 2)));
    expect(await fetched([a, a])).toEqual({ bytes: 90 });
    expect(downloader.asked).toEqual([a]);
  });

  it("are nothing where there are none", async () => {
    const { downloader, fetched } = world();
    expect(await fetched([sent(mostImageBytes + 1)])).toEqual({ bytes: 0 });
    expect(downloader.asked).toEqual([]);
  });

  it("that another attempt has kept meanwhile count, and what came here doesn't", async () => {
    const { objects, downloader, fetched } = world();
    downloader.serve(a, downloaded(pngHeader(3, 2)));
    const theirs = pngHeader(9, 9, 90);
    const put: Objects["put"] = async (key, bytes, about) => {
      await objects.put(key, [theirs], { mediaType: "image/png", sha256: sha256Hex(theirs) });
      return objects.put(key, bytes, about);
    };
    expect(await fetched([a], { change: { objects: { ...objects, put } } })).toEqual({ bytes: 90 });
    expect(await objects.get(keyOf(a))).toEqual(theirs);
  });

  it("are kept in spite of a store that fails at times, without being fetched again", async () => {
    const { objects, downloader, clock, fetched } = world();
    downloader.serve(a, downloaded(pngHeader(3, 2)));
    const failing = (times: number) => {
      let left = times;
      return async () => {
        left -= 1;
        if (left >= 0) throw new Error("The store is down");
      };
    };
    const [failingToLook, failingToKeep] = [failing(2), failing(3)];
    const change: Objects = {
      ...objects,
      size: (key) => failingToLook().then(() => objects.size(key)),
      put: (key, bytes, about) => failingToKeep().then(() => objects.put(key, bytes, about)),
    };
    const done = fetched([a], { change: { objects: change } });
    await clock.advance(20_000);
    expect(await done).toEqual({ bytes: 45 });
    expect(downloader.asked).toEqual([a]);
  });

  it("that come are kept though others don't, so that the next attempt asks for those alone", async () => {
    const { downloader, fetched } = world();
    downloader.serve(a, { type: "refused", status: 503 }, downloaded(pngHeader(3, 2)));
    downloader.serve(b, downloaded(pngHeader(5, 4)));
    expect(await fetched([a, b])).toMatchObject({ failures: [{ code: "input_fetch_failed" }] });
    expect(await fetched([a, b])).toEqual({ bytes: 90 });
    expect(downloader.asked).toEqual([a, b, a]);
  });

  it("come three at a time, and none is begun once one has failed", async () => {
    const { downloader, fetched } = world();
    const urls = ["1", "2", "3", "4", "5", "6", "7"].map((name) => `https://example.com/${name}`);
    for (const url of urls) downloader.serve(url, downloaded(pngHeader(1, 1)));
    let most = 0;
    let atOnce = 0;
    const counting: Downloader = {
      async download(file) {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        return downloader.download(file);
      },
    };
    expect(await fetched(urls, { change: { downloader: counting } })).toEqual({ bytes: 7 * 45 });
    expect(most).toBe(3);

    const other = world();
    expect(await other.fetched(urls)).toMatchObject({ failures: [{ code: "input_unavailable" }, {}, {}] });
    expect(other.downloader.asked).toEqual(urls.slice(0, 3));
  });

  it("wait for memory, so that many at once don't bring the worker down", async () => {
    const { downloader, fetched } = world();
    let atOnce = 0;
    let most = 0;
    const counting: Downloader = {
      async download(file) {
        expect(file.maxBytes).toBe(20_000_000);
        expect(file.timeoutMs).toBe(20_000);
        atOnce += 1;
        most = Math.max(most, atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        return downloader.download(file);
      },
    };
    const urls = ["1", "2", "3", "4", "5"].map((name) => `https://example.com/${name}`);
    for (const url of urls) downloader.serve(url, downloaded(pngHeader(1, 1)));
    const memory = memoryBudget(mostDownloadBytes * 3);
    expect(await fetched(urls, { change: { downloader: counting, memory } })).toEqual({ bytes: 5 * 45 });
    expect(most).toBe(2);
    const free = await memory.reserve(mostDownloadBytes * 3, new AbortController().signal);
    free();
  });

  it("are given up with the attempt", async () => {
    const { downloader, fetched } = world();
    downloader.serve(a, downloaded(pngHeader(3, 2)));
    const reason = new Error("The job was canceled");
    await expect(fetched([a], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(downloader.asked).toEqual([]);
  });
});

describe("a URL that leads to no picture", () => {
  const heic = Buffer.concat([
    Buffer.from("\0\0\0\x18ftypheic\0\0\0\0heicmif1", "latin1"),
    Buffer.from(
      "\0\0\0\x38meta\0\0\0\0\0\0\0\x2ciprp\0\0\0\x24ipco\0\0\0\x14ispe\0\0\0\0\0\0\0\x04\0\0\0\x03\0\0\0\x08pixi",
      "latin1",
    ),
  ]);
  const failed = (code: string, message = "It broke"): Download => ({ type: "failed", code, message });
  const refused = (status: number): Download => ({ type: "refused", status });

  it.each([
    ["name servers are silent", failed("dns_failed"), "input_fetch_failed", "It broke"],
    ["nobody listens", failed("connect_failed"), "input_fetch_failed", "It broke"],
    ["TLS fails", failed("tls_failed"), "input_fetch_failed", "It broke"],
    ["it takes too long", failed("timed_out"), "input_fetch_failed", "It broke"],
    ["the connection breaks", failed("connection_lost"), "input_fetch_failed", "It broke"],
    ["the address isn't public", failed("blocked_address"), "input_unavailable", "It broke"],
    ["the URL isn't taken any more", failed("invalid_url"), "input_unavailable", "It broke"],
    ["the answer can't be read", failed("malformed_answer"), "input_unavailable", "It broke"],
    ["the file is too large", failed("too_large"), "too_large", "It broke"],
    [
      "it has moved",
      refused(302),
      "input_unavailable",
      "its URL redirects (302); give the address that it leads to",
    ],
    [
      "it may be in several places",
      refused(300),
      "input_unavailable",
      "its URL redirects (300); give the address that it leads to",
    ],
    ["it is asked wrongly", refused(400), "input_unavailable", "its server answered with status 400"],
    ["it isn't there", refused(404), "input_unavailable", "its server answered with status 404"],
    ["it is nobody's business", refused(403), "input_unavailable", "its server answered with status 403"],
    ["there is nothing in it", refused(204), "input_unavailable", "its server answered with status 204"],
    ["its server waited too long", refused(408), "input_fetch_failed", "its server answered with status 408"],
    ["it was too early", refused(425), "input_fetch_failed", "its server answered with status 425"],
    ["it was asked too often", refused(429), "input_fetch_failed", "its server answered with status 429"],
    ["its server fails", refused(500), "input_fetch_failed", "its server answered with status 500"],
    [
      "it is a page",
      downloaded(new TextEncoder().encode("<!doctype html>")),
      "input_unavailable",
      "by its bytes it is none of PNG, JPEG, WebP, HEIC and HEIF",
    ],
    [
      "it is cut off",
      downloaded(pngHeader(1, 1).subarray(0, 30)),
      "input_unavailable",
      "its end is missing; send the whole file",
    ],
    [
      "it has too many pixels",
      downloaded(pngHeader(40_000, 40_000)),
      "too_large",
      "40000x40000 is over 40 megapixels; send a smaller one",
    ],
  ] as const)("says so where %s", async (_name, answer, code, reason) => {
    const { objects, downloader, fetched } = world();
    downloader.serve(a, answer);
    expect(await fetched([sent(7), a])).toEqual({
      failures: [{ code, message: `Cannot use image 1: ${reason}`, billed: "no" }],
    });
    expect(await objects.list("")).toEqual([]);
  });

  it("says so where the model doesn't take its type", async () => {
    const { objects, downloader, fetched } = world();
    downloader.serve(a, downloaded(heic));
    const model = { ...pro, inputTypes: ["image/png" as const] };
    const message = `Cannot use image 0: it is image/heic, which model "${pro.id}" doesn't take`;
    expect(await fetched([a], { model })).toEqual({
      failures: [{ code: "input_unavailable", message, billed: "no" }],
    });
    expect(await objects.list("")).toEqual([]);
    expect(await fetched([a], { model: { ...pro, inputTypes: ["image/heic"] } })).toEqual({
      bytes: heic.length,
    });
  });

  it("tells of each that fails, and which it is", async () => {
    const { downloader, fetched } = world();
    downloader.serve(a, refused(404));
    downloader.serve(b, refused(503));
    expect(await fetched([a, sent(7), b])).toMatchObject({
      failures: [
        { code: "input_unavailable", message: expect.stringContaining("image 0") },
        { code: "input_fetch_failed", message: expect.stringContaining("image 2") },
      ],
    });
  });
});

describe("images that are too heavy together", () => {
  it("are refused once it is known what they weigh", async () => {
    const { downloader, fetched } = world();
    downloader.serve(a, downloaded(pngHeader(3, 2)));
    const most = { code: "too_large", billed: "no" } as const;
    expect(await fetched([a, sent(mostImageBytes - 45)])).toEqual({ bytes: 45 });
    expect(await fetched([a, sent(mostImageBytes - 44)])).toEqual({
      failures: [
        {
          ...most,
          message: `The reference images have ${mostImageBytes + 1} bytes together, and Gemini takes about ${mostImageBytes}`,
        },
      ],
    });
    const continued = sent(mostImageBytes - 44);
    expect(await fetched([a], { about: { continued } })).toMatchObject({ failures: [most] });
  });
});
