import { GetObjectCommand, HeadBucketCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUCKET, refusal, sendRaw, startTestServer, type TestServer } from "./test-server.ts";

const Bucket = BUCKET;
const Key = "out/cat.png";
const LAST_MODIFIED = Math.floor(Date.now() / 1000) * 1000;
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ now: () => LAST_MODIFIED + 700 });
  await server.client.send(
    new PutObjectCommand({
      Bucket,
      Key,
      Body: "0123456789",
      ContentType: "image/png",
      CacheControl: "max-age=60",
    }),
  );
});
afterAll(() => server.stop());

test("gives back bytes, type, size, etag and time in whole seconds", async () => {
  const got = await server.client.send(new GetObjectCommand({ Bucket, Key }));
  expect(await got.Body?.transformToString()).toBe("0123456789");
  expect(got).toMatchObject({
    ContentType: "image/png",
    CacheControl: "max-age=60",
    ContentLength: 10,
    ETag: '"781e5e245d69b566979b86e28d23f2c7"',
    AcceptRanges: "bytes",
  });
  expect(got.LastModified?.getTime()).toBe(LAST_MODIFIED);
});

test.each([
  ["bytes=0-3", "0123", "bytes 0-3/10"],
  ["bytes=4-", "456789", "bytes 4-9/10"],
  ["bytes=-3", "789", "bytes 7-9/10"],
  ["bytes=-100", "0123456789", "bytes 0-9/10"],
  ["bytes=8-1000", "89", "bytes 8-9/10"],
])("answers range %s with 206", async (Range, expected, contentRange) => {
  const got = await server.client.send(new GetObjectCommand({ Bucket, Key, Range }));
  expect(got.$metadata.httpStatusCode).toBe(206);
  expect(got.ContentRange).toBe(contentRange);
  expect(await got.Body?.transformToString()).toBe(expected);
  expect(got.ChecksumCRC32).toBeUndefined();
});

test.each(["bytes=10-", "bytes=10-20", "bytes=-0"])(
  "refuses range %s with 416 and the real size",
  async (Range) => {
    const sent = server.client.send(new GetObjectCommand({ Bucket, Key, Range }));
    expect(await refusal(sent)).toEqual({ code: "InvalidRange", status: 416 });
    const url = await getSignedUrl(server.client, new GetObjectCommand({ Bucket, Key }));
    const raw = await fetch(url, { headers: { range: Range } });
    expect(raw.headers.get("content-range")).toBe("bytes */10");
  },
);

test.each(["bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-"])("ignores range %s", async (Range) => {
  const url = await getSignedUrl(server.client, new GetObjectCommand({ Bucket, Key }));
  const raw = await fetch(url, { headers: { range: Range } });
  expect([raw.status, await raw.text()]).toEqual([200, "0123456789"]);
});

test("an empty object is read whole, and has no satisfiable range", async () => {
  await server.client.send(new PutObjectCommand({ Bucket, Key: "empty", Body: "" }));
  const got = await server.client.send(new GetObjectCommand({ Bucket, Key: "empty" }));
  expect(await got.Body?.transformToString()).toBe("");
  const sent = server.client.send(new GetObjectCommand({ Bucket, Key: "empty", Range: "bytes=0-" }));
  expect(await refusal(sent)).toEqual({ code: "InvalidRange", status: 416 });
});

const ETAG = '"781e5e245d69b566979b86e28d23f2c7"';
const at = (seconds: number) => new Date(LAST_MODIFIED + seconds * 1000);

test.each([
  ["If-None-Match with the etag", { IfNoneMatch: ETAG }, 304],
  ["If-None-Match with a list", { IfNoneMatch: `"x", W/${ETAG}` }, 304],
  ["If-None-Match *", { IfNoneMatch: "*" }, 304],
  ["If-None-Match with another", { IfNoneMatch: '"x"' }, 200],
  ["If-Modified-Since its time", { IfModifiedSince: at(0) }, 304],
  ["If-Modified-Since before", { IfModifiedSince: at(-1) }, 200],
  ["If-Match with the etag", { IfMatch: ETAG }, 200],
  ["If-Match with another", { IfMatch: '"x"' }, 412],
  ["If-Unmodified-Since its time", { IfUnmodifiedSince: at(0) }, 200],
  ["If-Unmodified-Since before", { IfUnmodifiedSince: at(-1) }, 412],
  ["If-Match over If-Unmodified-Since", { IfMatch: ETAG, IfUnmodifiedSince: at(-1) }, 200],
  ["If-None-Match over If-Modified-Since", { IfNoneMatch: '"x"', IfModifiedSince: at(0) }, 200],
])("%s", async (_what, condition, status) => {
  for (const Command of [GetObjectCommand, HeadObjectCommand]) {
    const sent = server.client.send(new Command({ Bucket, Key, ...condition })).then(
      (got) => got.$metadata.httpStatusCode,
      (error: { $metadata: { httpStatusCode: number } }) => error.$metadata.httpStatusCode,
    );
    expect(await sent).toBe(status);
  }
});

test("a 304 carries etag, time and caching but no body", async () => {
  const url = await getSignedUrl(server.client, new GetObjectCommand({ Bucket, Key }));
  const raw = await fetch(url, { headers: { "if-none-match": ETAG } });
  expect(raw.status).toBe(304);
  expect(Object.fromEntries(raw.headers)).toMatchObject({ etag: ETAG, "cache-control": "max-age=60" });
  expect(await raw.text()).toBe("");
});

test("response- parameters of a signed URL replace the stored headers", async () => {
  const command = new GetObjectCommand({
    Bucket,
    Key,
    ResponseContentDisposition: `attachment; filename="Käse & 日本.png"`,
    ResponseContentType: "application/octet-stream",
    ResponseCacheControl: "no-store",
    ResponseExpires: at(0),
  });
  const raw = await fetch(await getSignedUrl(server.client, command));
  const disposition = Buffer.from(raw.headers.get("content-disposition") ?? "", "latin1").toString();
  expect(disposition).toBe(`attachment; filename="Käse & 日本.png"`);
  expect(raw.headers.get("content-type")).toBe("application/octet-stream");
  expect(raw.headers.get("cache-control")).toBe("no-store");
  expect(raw.headers.get("expires")).toBe(at(0).toUTCString());
});

test("refuses to put a line break into a header", async () => {
  const command = new GetObjectCommand({ Bucket, Key, ResponseContentType: "a/b\r\nset-cookie: x=y" });
  const raw = await fetch(await getSignedUrl(server.client, command));
  expect([raw.status, raw.headers.get("set-cookie")]).toEqual([400, null]);
});

test("HEAD tells the same as GET, without a body", async () => {
  const head = await server.client.send(new HeadObjectCommand({ Bucket, Key }));
  expect(head).toMatchObject({ ContentLength: 10, ContentType: "image/png", ETag: ETAG });
  expect(head.ChecksumCRC32).toBeUndefined();
});

test("missing keys and buckets are told apart, with an error document and its request id", async () => {
  expect(await refusal(server.client.send(new GetObjectCommand({ Bucket, Key: "none" })))).toEqual({
    code: "NoSuchKey",
    status: 404,
  });
  expect(await refusal(server.client.send(new HeadObjectCommand({ Bucket, Key: "none" })))).toEqual({
    code: "NotFound",
    status: 404,
  });
  expect(await refusal(server.client.send(new GetObjectCommand({ Bucket: "other", Key })))).toEqual({
    code: "NoSuchBucket",
    status: 404,
  });
  const target = new URL(await getSignedUrl(server.client, new GetObjectCommand({ Bucket, Key: "a&b" })));
  const raw = await sendRaw(server.url, { method: "GET", target: target.pathname + target.search });
  expect(raw.headers["content-type"]).toBe("application/xml");
  expect(raw.body).toContain("<Key>a&amp;b</Key>");
  expect(raw.body).toContain(`<RequestId>${String(raw.headers["x-amz-request-id"])}</RequestId>`);
});

test("HeadBucket tells the region, and 404 for other buckets", async () => {
  expect(await server.client.send(new HeadBucketCommand({ Bucket }))).toMatchObject({
    BucketRegion: "us-east-1",
  });
  expect(await refusal(server.client.send(new HeadBucketCommand({ Bucket: "other" })))).toMatchObject({
    status: 404,
  });
});
