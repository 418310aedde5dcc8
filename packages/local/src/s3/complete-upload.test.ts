import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUCKET, refusal, startTestServer, type TestServer } from "./test-server.ts";

const Bucket = BUCKET;
const FIRST = Buffer.alloc(5 * 1024 * 1024, "a");
const LAST = Buffer.from("the end");
const WHOLE = Buffer.concat([FIRST, LAST]);
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

type Options = Partial<ConstructorParameters<typeof CreateMultipartUploadCommand>[0]>;

async function create(Key: string, options: Options = {}): Promise<string> {
  const { UploadId = "" } = await server.client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ...options }),
  );
  return UploadId;
}

async function upload(
  Key: string,
  UploadId: string,
  PartNumber: number,
  Body: Buffer,
  options = {},
): Promise<CompletedPart> {
  const part = await server.client.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...options }),
  );
  const { ETag, ChecksumCRC32, ChecksumSHA256, ChecksumCRC64NVME } = part;
  return { PartNumber, ETag, ChecksumCRC32, ChecksumSHA256, ChecksumCRC64NVME };
}

const complete = (Key: string, UploadId: string, Parts: CompletedPart[], options = {}) =>
  server.client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...options }),
  );

test("parts become one object with the headers given at the beginning", async () => {
  const Key = "multi/ü.bin";
  const id = await create(Key, { ContentType: "image/png", Metadata: { a: "1" } });
  const second = await upload(Key, id, 2, LAST);
  const first = await upload(Key, id, 1, FIRST);
  const listed = await server.client.send(new ListPartsCommand({ Bucket, Key, UploadId: id }));
  expect(listed.Parts?.map(({ PartNumber, Size, ETag }) => [PartNumber, Size, ETag])).toEqual([
    [1, FIRST.length, first.ETag],
    [2, LAST.length, second.ETag],
  ]);
  expect(await refusal(server.client.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({
    status: 404,
  });

  const done = await complete(Key, id, [first, second]);
  const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest();
  const etag = `"${md5(Buffer.concat([md5(FIRST), md5(LAST)])).toString("hex")}-2"`;
  expect(done).toMatchObject({ Bucket, Key, ETag: etag });
  const got = await server.client.send(new GetObjectCommand({ Bucket, Key }));
  expect(got).toMatchObject({ ContentType: "image/png", Metadata: { a: "1" }, ETag: etag });
  expect(WHOLE.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
  expect(readdirSync(join(server.dir, "uploads"))).toEqual([]);
  expect(await refusal(complete(Key, id, [first, second]))).toEqual({ code: "NoSuchUpload", status: 404 });
});

test("a part sent again replaces the earlier one", async () => {
  const id = await create("again");
  await upload("again", id, 1, Buffer.from("old"));
  const part = await upload("again", id, 1, Buffer.from("new"));
  await complete("again", id, [part]);
  const got = await server.client.send(new GetObjectCommand({ Bucket, Key: "again" }));
  expect(await got.Body?.transformToString()).toBe("new");
});

test("part checksums are combined, or computed over the whole", async () => {
  const composite = await create("sum/composite", { ChecksumAlgorithm: "SHA256" });
  const parts = [
    await upload("sum/composite", composite, 1, FIRST, { ChecksumAlgorithm: "SHA256" }),
    await upload("sum/composite", composite, 2, LAST, { ChecksumAlgorithm: "SHA256" }),
  ];
  const sha = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
  expect(await complete("sum/composite", composite, parts)).toMatchObject({
    ChecksumSHA256: `${sha(Buffer.concat([sha(FIRST), sha(LAST)])).toString("base64")}-2`,
    ChecksumType: "COMPOSITE",
  });

  const options = { ChecksumAlgorithm: "CRC64NVME", ChecksumType: "FULL_OBJECT" } as const;
  const full = await create("sum/full", options);
  const fullParts = [
    await upload("sum/full", full, 1, FIRST, { ChecksumAlgorithm: "CRC64NVME" }),
    await upload("sum/full", full, 2, LAST, { ChecksumAlgorithm: "CRC64NVME" }),
  ];
  const wrong = complete("sum/full", full, fullParts, { ChecksumCRC64NVME: "AAAAAAAAAAA=" });
  expect(await refusal(wrong)).toEqual({ code: "BadDigest", status: 400 });
  const done = await complete("sum/full", full, fullParts);
  expect(done.ChecksumType).toBe("FULL_OBJECT");
  const head = await server.client.send(
    new HeadObjectCommand({ Bucket, Key: "sum/full", ChecksumMode: "ENABLED" }),
  );
  expect(head.ChecksumCRC64NVME).toBe(done.ChecksumCRC64NVME);
});

test("a part must carry the checksum announced, and completing must repeat it", async () => {
  const id = await create("strict", { ChecksumAlgorithm: "SHA256" });
  const other = upload("strict", id, 1, LAST, { ChecksumAlgorithm: "CRC32" });
  expect(await refusal(other)).toEqual({ code: "InvalidRequest", status: 400 });
  const { PartNumber, ETag } = await upload("strict", id, 1, LAST, { ChecksumAlgorithm: "SHA256" });
  expect(await refusal(complete("strict", id, [{ PartNumber, ETag }]))).toEqual({
    code: "InvalidRequest",
    status: 400,
  });
});

test("the list of parts is checked", async () => {
  const Key = "checked";
  const id = await create(Key);
  const [small, end] = [await upload(Key, id, 1, LAST), await upload(Key, id, 2, LAST)];
  expect(await refusal(complete(Key, id, [small, end]))).toEqual({ code: "EntityTooSmall", status: 400 });
  expect(await refusal(complete(Key, id, [end, small]))).toMatchObject({ code: "InvalidPartOrder" });
  expect(await refusal(complete(Key, id, [{ ...small, ETag: '"x"' }]))).toMatchObject({
    code: "InvalidPart",
  });
  expect(await refusal(complete(Key, id, [{ ...small, PartNumber: 3 }]))).toMatchObject({
    code: "InvalidPart",
  });
  expect(await refusal(complete(Key, id, []))).toMatchObject({ code: "MalformedXML" });
  expect(await refusal(upload(Key, id, 10_001, LAST))).toMatchObject({ code: "InvalidArgument" });
  expect(await refusal(complete(Key, id, [small], { MpuObjectSize: 1 }))).toMatchObject({
    code: "InvalidRequest",
  });
  expect((await complete(Key, id, [small], { MpuObjectSize: LAST.length })).ETag).toMatch(/-1"$/);
});

test("an aborted upload is gone with its parts", async () => {
  const id = await create("aborted");
  const part = await upload("aborted", id, 1, LAST);
  await server.client.send(new AbortMultipartUploadCommand({ Bucket, Key: "aborted", UploadId: id }));
  expect(existsSync(join(server.dir, "uploads", id))).toBe(false);
  const gone = { code: "NoSuchUpload", status: 404 };
  expect(await refusal(complete("aborted", id, [part]))).toEqual(gone);
  expect(await refusal(upload("aborted", id, 1, LAST))).toEqual(gone);
  expect(
    await refusal(server.client.send(new ListPartsCommand({ Bucket, Key: "aborted", UploadId: id }))),
  ).toEqual(gone);
});

test("an upload id is good for its own key only, and is no path", async () => {
  const id = await create("mine");
  expect(await refusal(upload("other", id, 1, LAST))).toMatchObject({ code: "NoSuchUpload" });
  expect(await refusal(upload("mine", "../../buckets", 1, LAST))).toMatchObject({ code: "NoSuchUpload" });
});

test("exactly one of 40 racing completions creates the object", async () => {
  const Key = "race";
  const uploads = await Promise.all(
    Array.from({ length: 40 }, async (_, writer) => {
      const id = await create(Key);
      return { id, part: await upload(Key, id, 1, Buffer.from(`writer ${writer}`)) };
    }),
  );
  const results = await Promise.allSettled(
    uploads.map(({ id, part }) => complete(Key, id, [part], { IfNoneMatch: "*" })),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason.name] : []));
  expect(new Set(refused)).toEqual(new Set(["PreconditionFailed"]));
});

test("two completions of one upload make one object", async () => {
  const id = await create("twice");
  const part = await upload("twice", id, 1, LAST);
  const results = await Promise.allSettled([complete("twice", id, [part]), complete("twice", id, [part])]);
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("lists parts page by page", async () => {
  const id = await create("pages");
  for (const number of [1, 2, 3]) await upload("pages", id, number, LAST);
  const page = { Bucket, Key: "pages", UploadId: id, MaxParts: 2 };
  const first = await server.client.send(new ListPartsCommand(page));
  expect([first.Parts?.length, first.IsTruncated, first.NextPartNumberMarker]).toEqual([2, true, "2"]);
  const second = await server.client.send(new ListPartsCommand({ ...page, PartNumberMarker: "2" }));
  expect([second.Parts?.map(({ PartNumber }) => PartNumber), second.IsTruncated]).toEqual([[3], false]);
});

test("copying into a part is refused by name", async () => {
  const id = await create("copy");
  const sent = server.client.send(
    new UploadPartCopyCommand({
      Bucket,
      Key: "copy",
      UploadId: id,
      PartNumber: 1,
      CopySource: `${Bucket}/again`,
    }),
  );
  expect(await refusal(sent)).toEqual({ code: "NotImplemented", status: 501 });
});
