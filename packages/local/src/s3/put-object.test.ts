import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUCKET, refusal, startTestServer, type TestServer } from "./test-server.ts";

const Bucket = BUCKET;
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const read = async (Key: string) => {
  const got = await server.client.send(new GetObjectCommand({ Bucket, Key }));
  return got.Body?.transformToString();
};

test("keeps type, disposition, caching and metadata with the object", async () => {
  const headers = {
    ContentType: "image/png",
    ContentDisposition: 'inline; filename="a.png"',
    CacheControl: "max-age=1",
    ContentEncoding: "gzip",
    ContentLanguage: "de",
    Metadata: { order: "42", fence: "7" },
  };
  await server.client.send(new PutObjectCommand({ Bucket, Key: "meta", Body: "x", ...headers }));
  expect(await server.client.send(new HeadObjectCommand({ Bucket, Key: "meta" }))).toMatchObject(headers);
});

test("refuses more than 2 KB of metadata", async () => {
  const sent = server.client.send(
    new PutObjectCommand({ Bucket, Key: "m", Body: "x", Metadata: { a: "x".repeat(2048) } }),
  );
  expect(await refusal(sent)).toEqual({ code: "MetadataTooLarge", status: 400 });
});

test("stores 64 MB and gives them back unchanged", async () => {
  const body = Buffer.alloc(64 * 1024 * 1024);
  for (let at = 0; at < body.length; at += 4096) body.writeUInt32LE(at, at);
  const put = await server.client.send(new PutObjectCommand({ Bucket, Key: "large", Body: body }));
  expect(put.ETag).toBe(`"${createHash("md5").update(body).digest("hex")}"`);
  const got = await server.client.send(new GetObjectCommand({ Bucket, Key: "large" }));
  expect(body.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
});

describe("keys", () => {
  const keys = [
    "a b+c&d=e?f#g%20.png",
    "ünïcode/日本/🍌",
    "..",
    "../../../etc/passwd",
    "a/../b",
    "//double//slashes//",
    "/leading",
    "trailing/",
    ".",
    "con",
    "CON",
    "\\windows\\path",
    "tab\tline\nbreak",
    "!'()*~_-.",
    `long/${"x".repeat(1019)}`,
  ];

  test.each(keys)(
    "%j is stored, listed and read as it is, and nothing appears outside the directory",
    async (Key) => {
      await server.client.send(new PutObjectCommand({ Bucket, Key, Body: `content of ${Key}` }));
      expect(await read(Key)).toBe(`content of ${Key}`);
      const listed = await server.client.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
      expect(listed.Contents?.map((entry) => entry.Key)).toContain(Key);
      const files = readdirSync(join(server.dir, "buckets", Bucket));
      expect(files.filter((name) => !/^[0-9a-f]{64}(\.[0-9a-f]{32}\.body|\.json)$/.test(name))).toEqual([]);
      expect(readdirSync(server.dir).sort()).toEqual(["buckets", "incoming", "uploads"]);
      await server.client.send(new DeleteObjectCommand({ Bucket, Key }));
      expect(await refusal(server.client.send(new GetObjectCommand({ Bucket, Key })))).toMatchObject({
        code: "NoSuchKey",
      });
    },
  );

  test("of 1024 bytes are the longest", async () => {
    const sent = (Key: string) => server.client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    await sent("é".repeat(512));
    expect(await refusal(sent("é".repeat(513)))).toEqual({ code: "KeyTooLongError", status: 400 });
  });
});
