import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hmacHex, signingKey } from "./signature.ts";
import {
  amzDate,
  BUCKET,
  CREDENTIALS,
  REGION,
  refusal,
  startTestServer,
  type TestServer,
} from "./test-server.ts";

const Bucket = BUCKET;
const KB = 1024;
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

type Upload = {
  readonly fields?: Readonly<Record<string, string>>;
  readonly conditions?: readonly unknown[];
  readonly expiresInMs?: number;
  readonly body?: string | Buffer<ArrayBuffer>;
  readonly fileName?: string;
  /** Fields as the sender changes them after the form was signed. */
  readonly tamper?: Readonly<Record<string, string>>;
};

const KEY = { key: "in/a.png", "Content-Type": "image/png" };
const CONDITIONS = [
  ["starts-with", "$key", "in/"],
  ["starts-with", "$Content-Type", "image/"],
  ["content-length-range", 1, 64 * KB],
];

/** Builds and sends the form an SDK's presigned POST describes. */
async function post({
  fields = KEY,
  conditions = CONDITIONS,
  expiresInMs = 60_000,
  body = "picture",
  fileName = "a.png",
  tamper = {},
}: Upload) {
  const time = amzDate(Date.now());
  const scope = { date: time.slice(0, 8), region: REGION, service: "s3" };
  const signed = {
    bucket: Bucket,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${CREDENTIALS.accessKeyId}/${scope.date}/${REGION}/s3/aws4_request`,
    "X-Amz-Date": time,
  };
  const document = {
    expiration: new Date(Date.now() + expiresInMs).toISOString(),
    conditions: [...Object.entries(signed).map(([name, value]) => ({ [name]: value })), ...conditions],
  };
  const policy = Buffer.from(JSON.stringify(document)).toString("base64");
  const signature = hmacHex(signingKey(CREDENTIALS.secretAccessKey, scope), policy);
  const form = new FormData();
  const all = { ...fields, ...signed, Policy: policy, "X-Amz-Signature": signature, ...tamper };
  for (const [name, value] of Object.entries(all)) form.append(name, value);
  form.append("file", new Blob([body]), fileName);
  const answer = await fetch(`${server.url}/${Bucket}`, { method: "POST", body: form, redirect: "manual" });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    code: /<Code>(.*?)<\/Code>/.exec(text)?.[1],
    message: /<Message>(.*?)<\/Message>/.exec(text)?.[1]?.replaceAll("&quot;", '"'),
  };
}

const stored = async (Key: string) => {
  const got = await server.client.send(new GetObjectCommand({ Bucket, Key }));
  return got.Body?.transformToString();
};

test("stores the file with the form's type and metadata, and answers 204", async () => {
  const fields = { ...KEY, "x-amz-meta-note": "Käse", "x-ignore-me": "1" };
  const answer = await post({ fields, conditions: [...CONDITIONS, ["starts-with", "$x-amz-meta-note", ""]] });
  const etag = `"${createHash("md5").update("picture").digest("hex")}"`;
  expect([answer.status, answer.headers.get("etag")]).toEqual([204, etag]);
  expect(await stored(KEY.key)).toBe("picture");
  const head = await server.client.send(new HeadObjectCommand({ Bucket, Key: KEY.key }));
  expect(head).toMatchObject({ ContentType: "image/png", ContentLength: 7 });
  expect(Buffer.from(head.Metadata?.note ?? "", "latin1").toString()).toBe("Käse");
});

test("streams a large file, with the boundary's beginning in it", async () => {
  const body = Buffer.alloc(24 * KB * KB, "\r\n------formdata-undici-0\r\n-");
  const answer = await post({
    body,
    conditions: [...CONDITIONS.slice(0, 2), ["content-length-range", 0, body.length]],
  });
  expect(answer.status).toBe(204);
  const got = await server.client.send(new GetObjectCommand({ Bucket, Key: KEY.key }));
  expect(body.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
});

test("fills the file's name into the key, whatever the name", async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own variable
  const fields = { ...KEY, key: "in/${filename}" };
  expect((await post({ fields, fileName: "../$& ü.png" })).status).toBe(204);
  expect(await stored("in/$& ü.png")).toBe("picture");
});

test("answers 201 with a document, 200, or a redirect, as the form asks", async () => {
  const any = (name: string) => [...CONDITIONS, ["starts-with", `$${name}`, ""]];
  const created = await post({
    fields: { ...KEY, success_action_status: "201" },
    conditions: any("success_action_status"),
  });
  expect(created.status).toBe(201);
  expect(created.text).toContain(`<Bucket>${Bucket}</Bucket><Key>in/a.png</Key>`);
  expect(
    (
      await post({
        fields: { ...KEY, success_action_status: "200" },
        conditions: any("success_action_status"),
      })
    ).status,
  ).toBe(200);
  expect(
    (
      await post({
        fields: { ...KEY, success_action_status: "500" },
        conditions: any("success_action_status"),
      })
    ).status,
  ).toBe(204);
  const redirect = { ...KEY, success_action_redirect: "http://localhost:3000/done?x=1" };
  const seeOther = await post({ fields: redirect, conditions: any("success_action_redirect") });
  expect(seeOther.status).toBe(303);
  const location = new URL(seeOther.headers.get("location") ?? "");
  expect(Object.fromEntries(location.searchParams)).toEqual({
    x: "1",
    bucket: Bucket,
    key: "in/a.png",
    etag: seeOther.headers.get("etag"),
  });
  expect(
    (
      await post({
        fields: { ...KEY, success_action_redirect: "nonsense" },
        conditions: any("success_action_redirect"),
      })
    ).status,
  ).toBe(204);
});

test("one byte too many or too few is refused, and nothing is stored", async () => {
  const fields = { ...KEY, key: "in/sized" };
  const sized = (length: number) => post({ fields, body: Buffer.alloc(length) });
  expect(await sized(64 * KB + 1)).toMatchObject({ status: 400, code: "EntityTooLarge" });
  expect(await sized(0)).toMatchObject({ status: 400, code: "EntityTooSmall" });
  expect(await refusal(server.client.send(new HeadObjectCommand({ Bucket, Key: "in/sized" })))).toMatchObject(
    { status: 404 },
  );
  expect(readdirSync(join(server.dir, "incoming"))).toEqual([]);
  expect((await sized(64 * KB)).status).toBe(204);
  expect((await sized(1)).status).toBe(204);
});

test("a file far too large is refused although much of it is still to come", async () => {
  expect(await post({ body: Buffer.alloc(16 * KB * KB) })).toMatchObject({
    status: 400,
    code: "EntityTooLarge",
  });
});

test.each<[string, Upload, string]>([
  [
    "a key outside its prefix",
    { fields: { ...KEY, key: "out/a.png" } },
    'Policy Condition failed: ["starts-with","$key","in/"]',
  ],
  [
    "another type",
    { fields: { ...KEY, "Content-Type": "text/html" } },
    'Policy Condition failed: ["starts-with","$Content-Type","image/"]',
  ],
  [
    "a required field missing",
    { fields: { key: "in/a.png" } },
    'Policy Condition failed: ["starts-with","$Content-Type","image/"]',
  ],
  [
    "an exact value missed",
    { conditions: [...CONDITIONS, { key: "in/b.png" }] },
    'Policy Condition failed: {"key":"in/b.png"}',
  ],
  [
    "an eq missed",
    { conditions: [...CONDITIONS, ["eq", "$key", "in/b.png"]] },
    'Policy Condition failed: ["eq","$key","in/b.png"]',
  ],
  [
    "another bucket",
    { conditions: [...CONDITIONS, { bucket: "other" }] },
    'Policy Condition failed: {"bucket":"other"}',
  ],
  [
    "a field the policy does not speak about",
    { fields: { ...KEY, "x-amz-meta-a": "1" } },
    "Extra input fields: x-amz-meta-a",
  ],
  ["an expired policy", { expiresInMs: -1 }, "Policy expired."],
])("refuses %s", async (_what, upload, message) => {
  expect(await post(upload)).toMatchObject({
    status: 403,
    code: "AccessDenied",
    message: `Invalid according to Policy: ${message}`,
  });
});

test.each<[string, Upload, number, string]>([
  [
    "a changed policy",
    {
      tamper: {
        Policy: Buffer.from('{"expiration":"2999-01-01T00:00:00Z","conditions":[]}').toString("base64"),
      },
    },
    403,
    "SignatureDoesNotMatch",
  ],
  ["a changed signature", { tamper: { "X-Amz-Signature": "0".repeat(64) } }, 403, "SignatureDoesNotMatch"],
  [
    "an unknown key id",
    { tamper: { "X-Amz-Credential": `OTHER/${amzDate(Date.now()).slice(0, 8)}/${REGION}/s3/aws4_request` } },
    403,
    "InvalidAccessKeyId",
  ],
  ["another algorithm", { tamper: { "X-Amz-Algorithm": "none" } }, 400, "InvalidArgument"],
  ["no key", { fields: { "Content-Type": "image/png" } }, 400, "InvalidArgument"],
  ["a key too long", { fields: { ...KEY, key: `in/${"x".repeat(1022)}` } }, 400, "KeyTooLongError"],
  [
    "a line break in a header",
    { fields: { ...KEY, "Content-Type": "image/png\r\nx: y" } },
    400,
    "InvalidArgument",
  ],
  [
    "a condition it does not know",
    { conditions: [...CONDITIONS, ["ends-with", "$key", "png"]] },
    400,
    "InvalidPolicyDocument",
  ],
  [
    "a wrong checksum",
    {
      fields: { ...KEY, "x-amz-checksum-crc32": "AAAAAA==" },
      conditions: [...CONDITIONS, { "x-amz-checksum-crc32": "AAAAAA==" }],
    },
    400,
    "BadDigest",
  ],
  [
    "a field it would have to ignore",
    { fields: { ...KEY, tagging: "<x/>" }, conditions: [...CONDITIONS, ["starts-with", "$tagging", ""]] },
    501,
    "NotImplemented",
  ],
])("refuses %s", async (_what, upload, status, code) => {
  expect(await post(upload)).toMatchObject({ status, code });
});

test("a form without a policy is anonymous", async () => {
  const form = new FormData();
  form.append("key", "in/a.png");
  form.append("file", new Blob(["x"]), "a.png");
  const answer = await fetch(`${server.url}/${Bucket}`, { method: "POST", body: form });
  expect([answer.status, await answer.text()]).toEqual([
    403,
    expect.stringContaining("<Code>AccessDenied</Code>"),
  ]);
});
