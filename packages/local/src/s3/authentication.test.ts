import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
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
  testClient,
} from "./test-server.ts";

const Bucket = BUCKET;
const Key = "a b/ü+.txt";
let server: TestServer;
let skewMs = 0;

beforeAll(async () => {
  server = await startTestServer({ now: () => Date.now() + skewMs });
});
beforeEach(async () => {
  skewMs = 0;
  await server.client.send(new PutObjectCommand({ Bucket, Key, Body: "hello" }));
});
afterAll(() => server.stop());

/** Status and error code of a URL. */
async function fetched(url: string | URL, init: RequestInit = {}): Promise<[number, string]> {
  const answer = await fetch(url, init);
  return [answer.status, /<Code>(.*?)<\/Code>/.exec(await answer.text())?.[1] ?? ""];
}

describe("the Authorization header", () => {
  test("is required", async () => {
    expect(await fetched(`${server.url}/${Bucket}/x`)).toEqual([403, "AccessDenied"]);
    expect(await fetched(`${server.url}/${Bucket}`)).toEqual([403, "AccessDenied"]);
    expect(await fetched(`${server.url}/${Bucket}/x`, { method: "PUT", body: "x" })).toEqual([
      403,
      "AccessDenied",
    ]);
  });

  test("with a wrong secret or an unknown key is refused", async () => {
    const wrong = testClient(server.url, { ...CREDENTIALS, secretAccessKey: "wrong" });
    expect(await refusal(wrong.send(new GetObjectCommand({ Bucket, Key })))).toEqual({
      code: "SignatureDoesNotMatch",
      status: 403,
    });
    const unknown = testClient(server.url, { ...CREDENTIALS, accessKeyId: "SOMEBODY" });
    expect(await refusal(unknown.send(new ListObjectsV2Command({ Bucket })))).toEqual({
      code: "InvalidAccessKeyId",
      status: 403,
    });
  });

  test("for another region is refused, naming the right one", async () => {
    const elsewhere = new S3Client({
      endpoint: server.url,
      region: "eu-west-1",
      credentials: CREDENTIALS,
      maxAttempts: 1,
      followRegionRedirects: false,
    });
    expect(await refusal(elsewhere.send(new GetObjectCommand({ Bucket, Key })))).toEqual({
      code: "AuthorizationHeaderMalformed",
      status: 400,
    });
  });

  test.each([-16, 16])("from a clock %i minutes off is refused", async (minutes) => {
    const request = { method: "GET", target: `/${Bucket}/x` };
    const at = Date.now() + minutes * 60_000;
    expect(await sendSigned(server.url, request, { at })).toMatchObject({
      status: 403,
      code: "RequestTimeTooSkewed",
    });
    const nearly = Date.now() + Math.sign(minutes) * 14 * 60_000;
    expect(await sendSigned(server.url, request, { at: nearly })).toMatchObject({ code: "NoSuchKey" });
  });

  test.each([
    ["method", { method: "DELETE" }],
    ["path", { target: `/${Bucket}/y` }],
    ["query", { target: `/${Bucket}/x?response-expires=0` }],
  ])("is good for its %s only", async (_what, change) => {
    const request = { method: "GET", target: `/${Bucket}/x` };
    const { headers } = sign(server.url, request);
    expect(await sendRaw(server.url, { ...request, headers })).toMatchObject({ code: "NoSuchKey" });
    expect(await sendRaw(server.url, { ...request, ...change, headers })).toMatchObject({
      code: "SignatureDoesNotMatch",
    });
  });

  test("covers each header it names, and must name each x-amz- header", async () => {
    const request = { method: "PUT", target: `/${Bucket}/x`, headers: { "x-amz-meta-a": "1" }, body: "x" };
    const { headers } = sign(server.url, request);
    const changed = { ...request, headers: { ...headers, "x-amz-meta-a": "2" } };
    expect(await sendRaw(server.url, changed)).toMatchObject({ code: "SignatureDoesNotMatch" });
    const added = { ...request, headers: { ...headers, "x-amz-meta-b": "2" } };
    const refused = await sendRaw(server.url, added);
    expect(refused).toMatchObject({ status: 403, code: "AccessDenied" });
    expect(refused.body).toContain("<HeadersNotSigned>x-amz-meta-b</HeadersNotSigned>");
  });

  test.each([
    ["AWS AKID:abc", "InvalidRequest"],
    ["Bearer abc", "InvalidRequest"],
    ["AWS4-HMAC-SHA256 Credential=x", "AuthorizationHeaderMalformed"],
  ])("%j is refused as %s", async (authorization, code) => {
    const answer = await sendRaw(server.url, {
      method: "GET",
      target: `/${Bucket}/x`,
      headers: { authorization },
    });
    expect(answer).toMatchObject({ status: 400, code });
  });

  test("works for whatever host name the client signed", async () => {
    const endpoint = server.url.replace("127.0.0.1", "localhost");
    const client = new S3Client({ endpoint, region: REGION, credentials: CREDENTIALS, forcePathStyle: true });
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe("hello");
  });
});

describe("a presigned URL", () => {
  const get = new GetObjectCommand({ Bucket, Key });

  test("reads, tells about, writes and deletes", async () => {
    const put = new PutObjectCommand({ Bucket, Key: "put", ContentType: "image/png", Metadata: { a: "1" } });
    const plain = new S3Client({
      endpoint: server.url,
      region: REGION,
      credentials: CREDENTIALS,
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
    const putUrl = await getSignedUrl(plain, put, { signableHeaders: new Set(["content-type"]) });
    expect(
      await fetched(putUrl, { method: "PUT", body: "picture", headers: { "content-type": "text/html" } }),
    ).toEqual([403, "SignatureDoesNotMatch"]);
    expect(
      await fetched(putUrl, { method: "PUT", body: "picture", headers: { "content-type": "image/png" } }),
    ).toEqual([200, ""]);
    const head = await fetch(await getSignedUrl(plain, new HeadObjectCommand({ Bucket, Key: "put" })), {
      method: "HEAD",
    });
    expect(Object.fromEntries(head.headers)).toMatchObject({
      "content-type": "image/png",
      "content-length": "7",
      "x-amz-meta-a": "1",
    });
    expect(
      await (await fetch(await getSignedUrl(plain, new GetObjectCommand({ Bucket, Key: "put" })))).text(),
    ).toBe("picture");
    const deleteUrl = await getSignedUrl(plain, new DeleteObjectCommand({ Bucket, Key: "put" }));
    expect((await fetch(deleteUrl, { method: "DELETE" })).status).toBe(204);
    expect(
      (await fetch(await getSignedUrl(plain, new GetObjectCommand({ Bucket, Key: "put" })))).status,
    ).toBe(404);
  });

  test("with a checksum in it accepts no other body, as the SDK's default makes it", async () => {
    const url = await getSignedUrl(server.client, new PutObjectCommand({ Bucket, Key: "put" }));
    expect(new URL(url).searchParams.get("x-amz-checksum-crc32")).toBe("AAAAAA==");
    expect(await fetched(url, { method: "PUT", body: "picture" })).toEqual([400, "BadDigest"]);
  });

  test("ends when it expires", async () => {
    const url = await getSignedUrl(server.client, get, { expiresIn: 60 });
    skewMs = 58_000;
    expect(await fetched(url)).toEqual([200, ""]);
    skewMs = 62_000;
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining("<Message>Request has expired</Message>"),
    ]);
  });

  test("from the future is not valid yet", async () => {
    const url = await getSignedUrl(server.client, get);
    skewMs = -16 * 60_000;
    expect(await fetched(url)).toEqual([403, "AccessDenied"]);
  });

  test.each<[string, (url: URL) => void]>([
    ["its signature is changed", (url) => url.searchParams.set("X-Amz-Signature", "0".repeat(64))],
    ["its key is changed", (url) => (url.pathname = `/${Bucket}/other`)],
    ["its validity is extended", (url) => url.searchParams.set("X-Amz-Expires", "86400")],
    ["a parameter is added", (url) => url.searchParams.set("response-content-type", "text/html")],
    ["a parameter is taken away", (url) => url.searchParams.delete("x-id")],
    [
      "its date is changed",
      (url) =>
        url.searchParams.set(
          "X-Amz-Date",
          (url.searchParams.get("X-Amz-Date") ?? "").replace(/\d\dZ$/, "59Z"),
        ),
    ],
  ])("is refused when %s", async (_what, tamper) => {
    const url = new URL(
      await getSignedUrl(server.client, get, { signingDate: new Date(Date.now() - 120_000) }),
    );
    expect((await fetch(url)).status).toBe(200);
    tamper(url);
    expect(await fetched(url)).toEqual([403, "SignatureDoesNotMatch"]);
  });

  test("is good for its method only", async () => {
    const url = await getSignedUrl(server.client, get);
    expect(await fetched(url, { method: "DELETE" })).toEqual([403, "SignatureDoesNotMatch"]);
  });

  test("lets no unsigned x-amz- header in, such as one that would turn a PUT into a copy", async () => {
    const url = await getSignedUrl(server.client, new PutObjectCommand({ Bucket, Key: "put", Body: "" }));
    expect(
      await fetched(url, { method: "PUT", headers: { "x-amz-copy-source": `${Bucket}/${Key}` } }),
    ).toEqual([403, "AccessDenied"]);
  });

  test.each([
    ["more than a week", "X-Amz-Expires", "604801"],
    ["no time at all", "X-Amz-Expires", "0"],
    ["an unreadable date", "X-Amz-Date", "yesterday"],
    ["another algorithm", "X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256"],
    ["a broken credential", "X-Amz-Credential", "AKID/us-east-1"],
  ])("for %s is refused", async (_what, name, value) => {
    const url = new URL(await getSignedUrl(server.client, get));
    url.searchParams.set(name, value);
    expect(await fetched(url)).toEqual([400, "AuthorizationQueryParametersError"]);
  });

  test("beside an Authorization header is refused", async () => {
    const url = await getSignedUrl(server.client, get);
    expect(await fetched(url, { headers: { authorization: "AWS4-HMAC-SHA256 x" } })).toEqual([
      400,
      "InvalidArgument",
    ]);
  });
});
