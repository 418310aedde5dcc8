import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hmacHex, scopePath, sha256Hex } from "./signature.ts";
import {
  BUCKET,
  CREDENTIALS,
  REGION,
  refusal,
  sendRaw,
  sendSigned,
  sign,
  startTestServer,
  type TestServer,
} from "./test-server.ts";

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

const algorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;

test.each(algorithms)(
  "%s is verified, stored and returned, for a buffer and for a stream",
  async (ChecksumAlgorithm) => {
    const Key = `sum/${ChecksumAlgorithm}`;
    const name = `Checksum${ChecksumAlgorithm}` as const;
    const put = await server.client.send(
      new PutObjectCommand({ Bucket, Key, Body: "hello", ChecksumAlgorithm }),
    );
    const streamed = await server.client.send(
      new PutObjectCommand({
        Bucket,
        Key: `${Key}/stream`,
        Body: Readable.from([Buffer.from("he"), Buffer.from("llo")]),
        ContentLength: 5,
        ChecksumAlgorithm,
      }),
    );
    const head = await server.client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    expect(put[name]).toMatch(/=$/);
    expect(streamed[name]).toBe(put[name]);
    expect(head[name]).toBe(put[name]);
    expect(head.ChecksumType).toBe("FULL_OBJECT");
    expect(await read(`${Key}/stream`)).toBe("hello");
  },
);

test("without one, CRC64NVME is stored", async () => {
  const plain = new S3Client({
    endpoint: server.url,
    region: REGION,
    credentials: CREDENTIALS,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  await plain.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "123456789" }));
  const head = await plain.send(new HeadObjectCommand({ Bucket, Key: "plain", ChecksumMode: "ENABLED" }));
  expect(head.ChecksumCRC64NVME).toBe(Buffer.from("ae8b14860a799888", "hex").toString("base64"));
  plain.destroy();
});

test.each([
  ["a wrong CRC32", { "x-amz-checksum-crc32": "AAAAAA==" }, "BadDigest"],
  ["a wrong SHA256", { "x-amz-checksum-sha256": Buffer.alloc(32).toString("base64") }, "BadDigest"],
  ["a checksum of the wrong length", { "x-amz-checksum-crc32": "AAAA" }, "InvalidRequest"],
  [
    "two checksums",
    { "x-amz-checksum-crc32": "NhCmhg==", "x-amz-checksum-crc32c": "mnG7TA==" },
    "InvalidRequest",
  ],
  ["a wrong Content-MD5", { "content-md5": Buffer.alloc(16).toString("base64") }, "BadDigest"],
  ["a Content-MD5 that is none", { "content-md5": "hello" }, "InvalidDigest"],
  [
    "a checksum beside a trailing one",
    { "x-amz-checksum-crc32": "NhCmhg==", "x-amz-trailer": "x-amz-checksum-crc32" },
    "InvalidRequest",
  ],
  ["an algorithm without its checksum", { "x-amz-sdk-checksum-algorithm": "CRC32" }, "InvalidRequest"],
  ["a checksum nobody knows", { "x-amz-checksum-xxhash64": "AAAA" }, "NotImplemented"],
])("%s is refused and nothing is stored", async (_what, headers, code) => {
  const raw = await sendSigned(server.url, {
    method: "PUT",
    target: `/${Bucket}/bad`,
    headers,
    body: "hello",
  });
  expect(raw.code).toBe(code);
  expect(await refusal(server.client.send(new HeadObjectCommand({ Bucket, Key: "bad" })))).toMatchObject({
    status: 404,
  });
  expect(readdirSync(join(server.dir, "incoming"))).toEqual([]);
});

test("a right Content-MD5 is accepted", async () => {
  const headers = { "content-md5": createHash("md5").update("hello").digest("base64") };
  const raw = await sendSigned(server.url, {
    method: "PUT",
    target: `/${Bucket}/good`,
    headers,
    body: "hello",
  });
  expect([raw.status, raw.headers.etag]).toEqual([200, '"5d41402abc4b2a76b9719d911017c592"']);
});

test.each([
  ["wrong", "AAAAAA==", "BadDigest"],
  ["missing", undefined, "MalformedTrailerError"],
])("a trailing checksum that is %s is refused", async (_what, value, code) => {
  const headers = {
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": "5",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };
  const trailer = value === undefined ? "" : `x-amz-checksum-crc32:${value}\r\n`;
  const body = `5\r\nhello\r\n0\r\n${trailer}\r\n`;
  const options = { payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER" };
  const raw = await sendSigned(
    server.url,
    { method: "PUT", target: `/${Bucket}/bad`, headers, body },
    options,
  );
  expect(raw.code).toBe(code);
});

test("another number of bytes than announced is refused", async () => {
  const options = { payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER" };
  for (const length of ["4", "6"]) {
    const headers = { "content-encoding": "aws-chunked", "x-amz-decoded-content-length": length };
    const request = { method: "PUT", target: `/${Bucket}/bad`, headers, body: "5\r\nhello\r\n0\r\n\r\n" };
    expect((await sendSigned(server.url, request, options)).code).toBe("IncompleteBody");
  }
});

test("a body other than the signed one is refused, an unsigned one is not looked at", async () => {
  const request = { method: "PUT", target: `/${Bucket}/signed`, body: "hello" };
  const wrong = sign(server.url, { ...request, body: "other" }).headers;
  expect(
    (await sendSigned(server.url, request, { payloadHash: wrong["x-amz-content-sha256"] ?? "" })).code,
  ).toBe("XAmzContentSHA256Mismatch");
  expect((await sendSigned(server.url, request, { payloadHash: "UNSIGNED-PAYLOAD" })).status).toBe(200);
});

test("aws-chunked is not stored as the object's encoding", async () => {
  const headers = { "content-encoding": "aws-chunked,gzip", "x-amz-decoded-content-length": "5" };
  const request = { method: "PUT", target: `/${Bucket}/encoded`, headers, body: "5\r\nhello\r\n0\r\n\r\n" };
  await sendSigned(server.url, request, { payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER" });
  const head = await server.client.send(new HeadObjectCommand({ Bucket, Key: "encoded" }));
  expect(head).toMatchObject({ ContentEncoding: "gzip", ContentLength: 5 });
});

describe("signed chunks", () => {
  const chunks = ["a".repeat(70_000), "b".repeat(10), ""];
  const CHECKSUM = Buffer.from(crc32(chunks.join("")).toString(16).padStart(8, "0"), "hex").toString(
    "base64",
  );

  /** Frames chunks as a client does that signs each of them. */
  function frame(signed: ReturnType<typeof sign>, trailer?: string): string {
    const { key, scope, time } = signed;
    let previous = signed.signature;
    const link = (kind: string, ...hashes: string[]) => {
      previous = hmacHex(
        key,
        [`AWS4-HMAC-SHA256-${kind}`, time, scopePath(scope), previous, ...hashes].join("\n"),
      );
      return previous;
    };
    const framed = chunks.map((chunk) => {
      const signature = link("PAYLOAD", sha256Hex(""), sha256Hex(chunk));
      return `${chunk.length.toString(16)};chunk-signature=${signature}\r\n${chunk}${chunk === "" ? "" : "\r\n"}`;
    });
    const tail =
      trailer === undefined
        ? ""
        : `${trailer}\r\nx-amz-trailer-signature:${link("TRAILER", sha256Hex(`${trailer}\n`))}\r\n`;
    return `${framed.join("")}${tail}\r\n`;
  }

  test.each([
    ["without a trailer", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", undefined],
    [
      "with a signed trailer",
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
      `x-amz-checksum-crc32:${CHECKSUM}`,
    ],
  ])("are decoded %s, and refused when one byte differs", async (_what, payloadHash, trailer) => {
    const headers = {
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "70010",
      ...(trailer !== undefined && { "x-amz-trailer": "x-amz-checksum-crc32" }),
    };
    const request = { method: "PUT", target: `/${Bucket}/chunked`, headers };
    const signed = sign(server.url, request, { payloadHash });
    const body = frame(signed, trailer);
    const send = (text: string) => sendRaw(server.url, { ...request, headers: signed.headers, body: text });
    expect(await send(body)).toMatchObject({ status: 200 });
    const got = await server.client.send(new GetObjectCommand({ Bucket, Key: "chunked" }));
    expect(await got.Body?.transformToString()).toBe(chunks.join(""));
    expect(await send(body.replace("bbbb", "bbcb"))).toMatchObject({ code: "SignatureDoesNotMatch" });
  });
});
