import { fork } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startS3 } from "./server.ts";
import {
  BUCKET,
  CREDENTIALS,
  REGION,
  sign,
  startTestServer,
  type TestServer,
  testClient,
} from "./test-server.ts";

const Bucket = BUCKET;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "plantain-s3-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function withServer<T>(use: (server: TestServer) => Promise<T>): Promise<T> {
  const server = await startTestServer({ dir });
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

const put = ({ client }: TestServer, Key: string, Body: string) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body }));
const keys = async ({ client }: TestServer) =>
  (await client.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key) ?? [];
const bucketFiles = () => readdirSync(join(dir, "buckets", Bucket));

describe("a restart", () => {
  test("keeps objects with everything about them, buckets, and uploads under way", async () => {
    const object = {
      Bucket,
      Key: "../ü",
      Body: "hello",
      ContentType: "image/png",
      Metadata: { a: "1" },
      ChecksumAlgorithm: "SHA256",
    } as const;
    const before = await withServer(async ({ client }) => {
      await client.send(new PutObjectCommand(object));
      await client.send(new CreateBucketCommand({ Bucket: "second" }));
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ Bucket, Key: "multi", ContentType: "a/b" }),
      );
      const part = await client.send(
        new UploadPartCommand({ Bucket, Key: "multi", UploadId, PartNumber: 1, Body: "part" }),
      );
      const head = await client.send(
        new HeadObjectCommand({ Bucket, Key: object.Key, ChecksumMode: "ENABLED" }),
      );
      return { UploadId, part, head };
    });
    await withServer(async ({ client }) => {
      const head = await client.send(
        new HeadObjectCommand({ Bucket, Key: object.Key, ChecksumMode: "ENABLED" }),
      );
      expect({ ...head, $metadata: null }).toEqual({ ...before.head, $metadata: null });
      const got = await client.send(new GetObjectCommand({ Bucket, Key: object.Key }));
      expect(await got.Body?.transformToString()).toBe("hello");
      await client.send(new PutObjectCommand({ Bucket: "second", Key: "a", Body: "x" }));
      const Parts = [{ PartNumber: 1, ETag: before.part.ETag, ChecksumCRC32: before.part.ChecksumCRC32 }];
      const { UploadId } = before;
      await client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key: "multi", UploadId, MultipartUpload: { Parts } }),
      );
      const multi = await client.send(new GetObjectCommand({ Bucket, Key: "multi" }));
      expect([await multi.Body?.transformToString(), multi.ContentType]).toEqual(["part", "a/b"]);
    });
  });

  test("removes what a crash left, and nothing else", async () => {
    await withServer((server) => put(server, "kept", "hello"));
    const stale = "0".repeat(32);
    const orphan = `${"0".repeat(64)}.${stale}.body`;
    writeFileSync(join(dir, "incoming", stale), "half an obj");
    writeFileSync(join(dir, "incoming", "notes.txt"), "somebody's own");
    writeFileSync(join(dir, "buckets", Bucket, orphan), "never published");
    mkdirSync(join(dir, "uploads", stale));
    await withServer(async (server) => {
      expect(await keys(server)).toEqual(["kept"]);
      expect(readdirSync(join(dir, "incoming"))).toEqual(["notes.txt"]);
      expect(readdirSync(join(dir, "uploads"))).toEqual([]);
      expect(bucketFiles()).toHaveLength(2);
    });
  });

  test("shows no object whose bytes or record are torn", async () => {
    await withServer(async (server) => {
      await put(server, "whole", "hello");
      await put(server, "short", "hello");
      await put(server, "blank", "hello");
    });
    for (const name of bucketFiles().filter((file) => file.endsWith(".json"))) {
      const path = join(dir, "buckets", Bucket, name);
      const text = readFileSync(path, "utf8");
      if (text.includes('"blank"')) truncateSync(path, 20);
      if (text.includes('"short"')) truncateSync(join(dir, "buckets", Bucket, JSON.parse(text).body), 2);
    }
    await withServer(async (server) => {
      expect(await keys(server)).toEqual(["whole"]);
      expect(bucketFiles()).toHaveLength(2);
      await put(server, "short", "again");
      expect(await keys(server)).toEqual(["short", "whole"]);
    });
  });
});

const head = ({ method, target }: { method: string; target: string }, headers: Record<string, string>) =>
  `${method} ${target} HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;

test("a client that goes away in the middle of an upload leaves nothing", async () => {
  await withServer(async (server) => {
    const request = { method: "PUT", target: `/${Bucket}/half`, headers: { "content-length": "1000000" } };
    const { headers } = sign(server.url, request, { payloadHash: "UNSIGNED-PAYLOAD" });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.write(head(request, headers) + "x".repeat(500_000));
    await expect.poll(() => readdirSync(join(dir, "incoming")).length).toBe(1);
    socket.destroy();
    await expect.poll(() => readdirSync(join(dir, "incoming")).length).toBe(0);
    expect(await keys(server)).toEqual([]);
  });
});

test("a server killed in the middle of an overwrite keeps the old object", async () => {
  const child = fork(join(import.meta.dirname, "test-process.ts"), [dir]);
  const [url] = await once(child, "message");
  const client = testClient(String(url));
  await client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "old" }));
  async function* endless() {
    for (;;) yield Buffer.alloc(64 * 1024);
  }
  const sent = client.send(
    new PutObjectCommand({ Bucket, Key: "a", Body: Readable.from(endless()), ContentLength: 2 ** 32 }),
  );
  const failed = expect(sent).rejects.toThrow();
  await expect.poll(() => readdirSync(join(dir, "incoming")).length).toBe(1);
  child.kill("SIGKILL");
  await once(child, "exit");
  await failed;
  client.destroy();
  expect(readdirSync(join(dir, "incoming"))).toHaveLength(1);
  await withServer(async (server) => {
    expect(readdirSync(join(dir, "incoming"))).toEqual([]);
    const got = await server.client.send(new GetObjectCommand({ Bucket, Key: "a" }));
    expect(await got.Body?.transformToString()).toBe("old");
  });
});

test("a download that began goes on although the object is overwritten and deleted", async () => {
  await withServer(async (server) => {
    const old = Buffer.alloc(8 * 1024 * 1024, "o").toString();
    await put(server, "a", old);
    const got = await server.client.send(new GetObjectCommand({ Bucket, Key: "a" }));
    await put(server, "a", "new");
    expect(await got.Body?.transformToString()).toBe(old);
    expect(bucketFiles()).toHaveLength(2);
  });
});

test("a refused upload is refused before its body is sent, when the client asks", async () => {
  await withServer(async (server) => {
    await put(server, "a", "x");
    const request = {
      method: "PUT",
      target: `/${Bucket}/a`,
      headers: { "if-none-match": "*", "content-length": "1000000" },
    };
    const { headers } = sign(server.url, request, { payloadHash: "UNSIGNED-PAYLOAD" });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.write(head(request, { ...headers, expect: "100-continue" }));
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 412 /);
  });
});

test("a connection is good for the next request after a body refused half-way", async () => {
  await withServer(async (server) => {
    const headers = { "x-amz-decoded-content-length": "400000", "content-length": "400000" };
    const put = { method: "PUT", target: `/${Bucket}/a`, headers };
    const bad = sign(server.url, put, { payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER" });
    const get = { method: "GET", target: `/${Bucket}/none` };
    const good = sign(server.url, get);
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.write(head(put, bad.headers));
    socket.write(`no chunk size\r\n${"x".repeat(400_000 - 15)}`);
    socket.write(head(get, { ...good.headers, connection: "close" }));
    let answers = "";
    for await (const chunk of socket) answers += String(chunk);
    expect(answers.match(/<Code>\w+/g)).toEqual(["<Code>InvalidRequest", "<Code>NoSuchKey"]);
  });
});

test("a directory that cannot be written stops the start, saying which and what to do", async () => {
  const file = join(dir, "file");
  writeFileSync(file, "");
  const options = { buckets: [], credentials: CREDENTIALS, region: REGION };
  await expect(startS3({ ...options, dir: join(file, "s3") })).rejects.toThrow(
    /^Cannot keep S3 objects in ".*file\/s3": ENOTDIR.*; choose a directory that this user can create and write$/,
  );
});

test("a port that is taken stops the start", async () => {
  await withServer(async (server) => {
    const port = Number(new URL(server.url).port);
    await expect(startTestServer({ dir, port })).rejects.toThrow("EADDRINUSE");
  });
});
