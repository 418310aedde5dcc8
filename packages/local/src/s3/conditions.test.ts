import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
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

const put = (Key: string, Body: string, condition: { IfNoneMatch?: string; IfMatch?: string }) =>
  server.client.send(new PutObjectCommand({ Bucket, Key, Body, ...condition }));

test("If-None-Match lets exactly one of 40 racing writers win", async () => {
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, writer) =>
      put("race", `writer ${writer}`, { IfNoneMatch: "*" }).then(
        () => writer,
        (error: { name: string }) => error.name,
      ),
    ),
  );
  const winners = results.filter((result) => typeof result === "number");
  expect(winners).toHaveLength(1);
  expect(results.filter((result) => result === "PreconditionFailed")).toHaveLength(39);
  expect(await read("race")).toBe(`writer ${winners[0]}`);
});

test("If-None-Match refuses before the body is read, and afterwards too", async () => {
  await put("once", "first", { IfNoneMatch: "*" });
  expect(await refusal(put("once", "second", { IfNoneMatch: "*" }))).toEqual({
    code: "PreconditionFailed",
    status: 412,
  });
  expect(await read("once")).toBe("first");
});

test("If-Match overwrites only what it names, and one of 40 racing writers", async () => {
  const first = await put("match", "first", {});
  expect(await refusal(put("match", "x", { IfMatch: '"other"' }))).toEqual({
    code: "PreconditionFailed",
    status: 412,
  });
  const condition = { IfMatch: first.ETag ?? "" };
  const results = await Promise.allSettled(
    Array.from({ length: 40 }, (_, writer) => put("match", `writer ${writer}`, condition)),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("If-Match without an object is 404", async () => {
  expect(await refusal(put("absent", "x", { IfMatch: '"a"' }))).toEqual({ code: "NoSuchKey", status: 404 });
});

test("If-None-Match with an etag is not implemented, as in S3", async () => {
  expect(await refusal(put("absent", "x", { IfNoneMatch: '"a"' }))).toEqual({
    code: "NotImplemented",
    status: 501,
  });
});

test("a delete while a conditional write is under way makes it 409", async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* slowly() {
    yield "first half ";
    await held;
    yield "second half";
  }
  const sent = server.client.send(
    new PutObjectCommand({
      Bucket,
      Key: "contested",
      Body: Readable.from(slowly()),
      ContentLength: 22,
      IfNoneMatch: "*",
    }),
  );
  const outcome = refusal(sent);
  await expect.poll(() => readdirSync(join(server.dir, "incoming")).length).toBe(1);
  await put("contested", "between", {});
  await server.client.send(new DeleteObjectCommand({ Bucket, Key: "contested" }));
  release();
  expect(await outcome).toEqual({ code: "ConditionalRequestConflict", status: 409 });
});

test("DeleteObject obeys If-Match", async () => {
  const { ETag = "" } = await put("delete-me", "x", {});
  const remove = (IfMatch: string) =>
    server.client.send(new DeleteObjectCommand({ Bucket, Key: "delete-me", IfMatch }));
  expect(await refusal(remove('"other"'))).toEqual({ code: "PreconditionFailed", status: 412 });
  await remove(ETag);
  expect(await refusal(remove(ETag))).toEqual({ code: "NoSuchKey", status: 404 });
});
