import {
  DeleteObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUCKET, refusal, sendSigned, startTestServer, type TestServer } from "./test-server.ts";

const Bucket = BUCKET;
const KEYS = ["a/1", "a/2", "a/b/3", "a/b/4", "b&<>\"'\u0001", "b/1", "b/2", "c", "ü/1", "\uff5e", "🍌"];
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  for (const Key of KEYS.toReversed())
    await server.client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
});
afterAll(() => server.stop());

const list = (input: Partial<ConstructorParameters<typeof ListObjectsV2Command>[0]> = {}) =>
  server.client.send(new ListObjectsV2Command({ Bucket, ...input }));

test("lists in the order of UTF-8 bytes, with size, etag and time", async () => {
  const { Contents = [], KeyCount, IsTruncated } = await list();
  expect(Contents.map(({ Key }) => Key)).toEqual(KEYS);
  expect([KeyCount, IsTruncated]).toEqual([KEYS.length, false]);
  expect(Contents[0]).toMatchObject({
    Size: 1,
    ETag: '"9dd4e461268c8034f5c8564e155c67a6"',
    StorageClass: "STANDARD",
    ChecksumAlgorithm: ["CRC32"],
    LastModified: expect.any(Date),
  });
});

test("narrows by prefix and rolls up by delimiter", async () => {
  const root = await list({ Delimiter: "/" });
  expect(root.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(["a/", "b/", "ü/"]);
  expect(root.Contents?.map(({ Key }) => Key)).toEqual(["b&<>\"'\u0001", "c", "\uff5e", "🍌"]);
  const inside = await list({ Delimiter: "/", Prefix: "a/" });
  expect(inside.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(["a/b/"]);
  expect(inside.Contents?.map(({ Key }) => Key)).toEqual(["a/1", "a/2"]);
  expect(await list({ Prefix: "none" })).toMatchObject({ KeyCount: 0, IsTruncated: false });
});

test("pages of any size bring everything once", async () => {
  for (const pageSize of [1, 2, 3, 5]) {
    const seen = new Set<string | undefined>();
    let count = 0;
    for await (const page of paginateListObjectsV2(
      { client: server.client, pageSize },
      { Bucket, Delimiter: "/" },
    )) {
      expect(page.KeyCount).toBeLessThanOrEqual(pageSize);
      const items = [
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      ];
      count += items.length;
      for (const item of items) seen.add(item);
    }
    expect(seen).toEqual(new Set(["a/", "b/", "b&<>\"'\u0001", "c", "ü/", "\uff5e", "🍌"]));
    expect(count).toBe(seen.size);
  }
});

test("begins after start-after, and a page goes on where it ended although keys come and go", async () => {
  expect((await list({ StartAfter: "b/1" })).Contents?.[0]?.Key).toBe("b/2");
  const first = await list({ MaxKeys: 2 });
  await server.client.send(new PutObjectCommand({ Bucket, Key: "a/0", Body: "x" }));
  const second = await list({ MaxKeys: 1, ContinuationToken: first.NextContinuationToken });
  expect(second.Contents?.[0]?.Key).toBe("a/b/3");
  await server.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "a/0" }] } }));
});

test("never lists more than 1000, and nothing for max-keys=0", async () => {
  expect(await list({ MaxKeys: 5000 })).toMatchObject({ MaxKeys: 1000 });
  expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
});

test("encodes keys when asked to", async () => {
  const { Contents = [] } = await list({ EncodingType: "url", Prefix: "b" });
  expect(Contents.map(({ Key }) => Key)).toEqual(["b%26%3C%3E%22'%01", "b/1", "b/2"]);
});

test.each([
  ["list-type=2&max-keys=many", "InvalidArgument"],
  ["list-type=2&continuation-token=%21", "InvalidArgument"],
  ["list-type=2&encoding-type=base64", "InvalidArgument"],
  ["prefix=a", "NotImplemented"],
])("refuses ?%s", async (query, code) => {
  expect((await sendSigned(server.url, { method: "GET", target: `/${Bucket}?${query}` })).code).toBe(code);
});

test("refuses a bucket that does not exist", async () => {
  expect(await refusal(list({ Bucket: "none" }))).toEqual({ code: "NoSuchBucket", status: 404 });
});
