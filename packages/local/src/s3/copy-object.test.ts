import { createHash } from "node:crypto";
import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
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

const copy = (input: Partial<ConstructorParameters<typeof CopyObjectCommand>[0]> & { Key: string }) =>
  server.client.send(
    new CopyObjectCommand({ Bucket, CopySource: `${Bucket}/source%20%C3%A9.png`, ...input }),
  );

beforeAll(async () => {
  await server.client.send(
    new PutObjectCommand({
      Bucket,
      Key: "source é.png",
      Body: "picture",
      ContentType: "image/png",
      Metadata: { a: "1" },
    }),
  );
});

test("copies take the source's headers along, or replace them", async () => {
  await copy({ Key: "copy" });
  await copy({
    Key: "replaced",
    MetadataDirective: "REPLACE",
    ContentType: "text/plain",
    Metadata: { b: "2" },
  });
  expect(await read("copy")).toBe("picture");
  expect(await server.client.send(new HeadObjectCommand({ Bucket, Key: "copy" }))).toMatchObject({
    ContentType: "image/png",
    Metadata: { a: "1" },
  });
  expect(await server.client.send(new HeadObjectCommand({ Bucket, Key: "replaced" }))).toMatchObject({
    ContentType: "text/plain",
    Metadata: { b: "2" },
  });
});

test("copies return the etag and the checksum", async () => {
  const { CopyObjectResult } = await copy({ Key: "copy" });
  expect(CopyObjectResult).toMatchObject({
    ETag: `"${createHash("md5").update("picture").digest("hex")}"`,
    ChecksumCRC32: expect.any(String),
  });
});

test("copies onto themselves must change something", async () => {
  expect(await refusal(copy({ Key: "source é.png" }))).toEqual({ code: "InvalidRequest", status: 400 });
  await copy({
    Key: "source é.png",
    MetadataDirective: "REPLACE",
    ContentType: "image/png",
    Metadata: { a: "1" },
  });
  expect(await read("source é.png")).toBe("picture");
});

test("copies obey conditions on source and target", async () => {
  expect(await refusal(copy({ Key: "copy2", CopySourceIfMatch: '"x"' }))).toEqual({
    code: "PreconditionFailed",
    status: 412,
  });
  const { CopyObjectResult } = await copy({ Key: "copy2", IfNoneMatch: "*" });
  expect(await refusal(copy({ Key: "copy2", IfNoneMatch: "*" }))).toEqual({
    code: "PreconditionFailed",
    status: 412,
  });
  expect(await refusal(copy({ Key: "copy3", CopySourceIfNoneMatch: CopyObjectResult?.ETag ?? "" }))).toEqual({
    code: "PreconditionFailed",
    status: 412,
  });
});

test("copies need an existing source", async () => {
  expect(await refusal(copy({ Key: "c", CopySource: `${Bucket}/none` }))).toEqual({
    code: "NoSuchKey",
    status: 404,
  });
  expect(await refusal(copy({ Key: "c", CopySource: "none/a" }))).toEqual({
    code: "NoSuchBucket",
    status: 404,
  });
  expect(await refusal(copy({ Key: "c", CopySource: "nonsense" }))).toEqual({
    code: "InvalidArgument",
    status: 400,
  });
});
