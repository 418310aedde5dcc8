import { createHash } from "node:crypto";
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUCKET, sendSigned, startTestServer, type TestServer } from "./test-server.ts";

const Bucket = BUCKET;
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const put = (Key: string) => server.client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
const keys = async () =>
  (await server.client.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key);

async function postDelete(body: string, md5 = createHash("md5").update(body).digest("base64")) {
  return sendSigned(server.url, {
    method: "POST",
    target: `/${Bucket}?delete=`,
    headers: { "content-md5": md5 },
    body,
  });
}

test("deleting is the same for a key that exists and one that does not", async () => {
  await put("a");
  for (const Key of ["a", "never"]) {
    const { $metadata } = await server.client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect($metadata.httpStatusCode).toBe(204);
  }
});

test("deletes many at once and tells which", async () => {
  const names = ["<a>&b", "ü 🍌", " spaces ", "kept"];
  for (const name of names) await put(name);
  const Objects = [...names.slice(0, 3), "never"].map((Key) => ({ Key }));
  const { Deleted = [], Errors } = await server.client.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
  );
  expect(Deleted.map(({ Key }) => Key?.trim())).toEqual(["<a>&b", "ü 🍌", "spaces", "never"]);
  expect(Errors).toBeUndefined();
  expect(await keys()).toEqual(["kept"]);
});

test("Quiet tells nothing", async () => {
  await put("quiet");
  const Delete = { Objects: [{ Key: "quiet" }], Quiet: true };
  const { Deleted } = await server.client.send(new DeleteObjectsCommand({ Bucket, Delete }));
  expect(Deleted).toBeUndefined();
  expect(await keys()).toEqual(["kept"]);
});

test("takes 1000 keys, not 1001", async () => {
  const body = (count: number) =>
    `<Delete>${Array.from({ length: count }, (_, index) => `<Object><Key>${index}</Key></Object>`).join("")}</Delete>`;
  expect((await postDelete(body(1000))).status).toBe(200);
  expect((await postDelete(body(1001))).code).toBe("MalformedXML");
});

test.each([
  ["<Delete></Delete>", "MalformedXML"],
  ["<Remove><Object><Key>kept</Key></Object></Remove>", "MalformedXML"],
  ["<Delete><Object><Key></Key></Object></Delete>", "MalformedXML"],
  ["<Delete><Object><Key>kept</Key></Object>", "MalformedXML"],
  ["<Delete><Object><Key>kept</Key><VersionId>1</VersionId></Object></Delete>", "NotImplemented"],
])("refuses %s and deletes nothing", async (body, code) => {
  expect((await postDelete(body)).code).toBe(code);
  expect(await keys()).toEqual(["kept"]);
});

test("needs a digest of the list, and the right one", async () => {
  const body = "<Delete><Object><Key>kept</Key></Object></Delete>";
  expect((await postDelete(body, Buffer.alloc(16).toString("base64"))).code).toBe("BadDigest");
  const bare = await sendSigned(server.url, { method: "POST", target: `/${Bucket}?delete=`, body });
  expect(bare.code).toBe("InvalidRequest");
  expect(await keys()).toEqual(["kept"]);
});
