import { CreateBucketCommand, HeadBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUCKET, refusal, sendRaw, sendSigned, startTestServer, type TestServer } from "./test-server.ts";

const Bucket = BUCKET;
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

test.each([
  ["GET", `/${Bucket}/a?acl`, "acl"],
  ["PUT", `/${Bucket}/a?tagging`, "tagging"],
  ["GET", `/${Bucket}/a?versionId=1`, "versionId"],
  ["POST", `/${Bucket}/a?select&select-type=2`, "select"],
  ["PUT", `/${Bucket}/a?partNumber=1`, "partNumber"],
  ["GET", `/${Bucket}?location`, "location"],
  ["GET", `/${Bucket}?uploads`, "uploads"],
  ["PUT", `/${Bucket}?cors`, "cors"],
  ["DELETE", `/${Bucket}`, "DELETE"],
  ["PATCH", `/${Bucket}/a`, "PATCH"],
  ["GET", "/", "the service"],
])("%s %s is refused as not implemented, by name", async (method, target, name) => {
  const answer = await sendSigned(server.url, { method, target });
  expect(answer).toMatchObject({ status: 501, code: "NotImplemented" });
  expect(answer.body).toContain(name);
});

test.each([
  ["x-amz-tagging", "a=b"],
  ["x-amz-server-side-encryption", "aws:kms"],
  ["x-amz-storage-class", "GLACIER"],
  ["x-amz-acl", "public-read"],
  ["x-amz-object-lock-mode", "COMPLIANCE"],
  ["x-amz-website-redirect-location", "/x"],
])("an object with %s is refused instead of stored without it", async (name, value) => {
  const answer = await sendSigned(server.url, {
    method: "PUT",
    target: `/${Bucket}/a`,
    headers: { [name]: value },
  });
  expect(answer).toMatchObject({ status: 501 });
  expect(answer.body).toContain(name);
});

test("options that are true of every object are accepted", async () => {
  const options = {
    ACL: "bucket-owner-full-control",
    StorageClass: "STANDARD",
    ServerSideEncryption: "AES256",
  } as const;
  const put = await server.client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "x", ...options }));
  expect(put.ServerSideEncryption).toBe("AES256");
});

test("creating a bucket again changes nothing", async () => {
  for (let time = 0; time < 2; time++)
    await server.client.send(new CreateBucketCommand({ Bucket: "new-bucket-1" }));
  await server.client.send(new HeadBucketCommand({ Bucket: "new-bucket-1" }));
});

test.each(["Upper", "ab", "a..b", "-a-b", "a_b_c", "%2E%2E%2F%2E%2E%2Fescaped"])(
  "refuses %s as a bucket's name",
  async (name) => {
    const answer = await sendSigned(server.url, { method: "PUT", target: `/${name}` });
    expect(answer).toMatchObject({ status: 400, code: "InvalidBucketName" });
  },
);

test("a path that is no UTF-8 is refused", async () => {
  expect(await sendRaw(server.url, { method: "GET", target: `/${Bucket}/%ff` })).toMatchObject({
    status: 400,
    code: "InvalidURI",
  });
});

test("a missing bucket is told before a body is read", async () => {
  const sent = server.client.send(new PutObjectCommand({ Bucket: "none", Key: "a", Body: "x" }));
  expect(await refusal(sent)).toEqual({ code: "NoSuchBucket", status: 404 });
});
