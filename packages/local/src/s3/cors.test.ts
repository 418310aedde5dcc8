import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "./test-server.ts";

const RULES = [
  {
    allowedOrigins: ["http://localhost:*", "https://app.example", "https://a.*.a"],
    allowedMethods: ["GET", "POST"],
    allowedHeaders: ["content-type", "x-amz-*"],
    exposedHeaders: ["ETag", "x-amz-request-id"],
    maxAgeSeconds: 600,
  },
  { allowedOrigins: ["*"], allowedMethods: ["HEAD"] },
];
let server: TestServer;

beforeAll(async () => {
  const buckets = [
    { name: "open", cors: RULES },
    { name: "closed", cors: [] },
  ];
  server = await startTestServer({ buckets });
  for (const Bucket of ["open", "closed"])
    await server.client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "x" }));
});
afterAll(() => server.stop());

async function preflight(headers: Record<string, string>, bucket = "open") {
  const answer = await fetch(`${server.url}/${bucket}/a`, { method: "OPTIONS", headers });
  const cors = [...answer.headers].filter(([name]) => name.startsWith("access-control-"));
  return { status: answer.status, cors: Object.fromEntries(cors), text: await answer.text() };
}

test("a preflight is answered from the rule that fits", async () => {
  const answer = await preflight({
    origin: "http://localhost:3000",
    "access-control-request-method": "POST",
    "access-control-request-headers": "Content-Type, X-Amz-Meta-A",
  });
  expect(answer).toMatchObject({
    status: 200,
    cors: {
      "access-control-allow-origin": "http://localhost:3000",
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "content-type, x-amz-meta-a",
      "access-control-expose-headers": "ETag, x-amz-request-id",
      "access-control-max-age": "600",
      "access-control-allow-credentials": "true",
    },
  });
});

test("a rule for any origin says so and allows no credentials", async () => {
  const answer = await preflight({ origin: "https://anywhere", "access-control-request-method": "HEAD" });
  expect(answer.cors).toEqual({ "access-control-allow-origin": "*", "access-control-allow-methods": "HEAD" });
});

test.each<[string, Record<string, string>, string, number]>([
  ["another origin", { origin: "https://evil.example", "access-control-request-method": "GET" }, "open", 403],
  [
    "another port's look-alike",
    { origin: "https://app.example.evil", "access-control-request-method": "GET" },
    "open",
    403,
  ],
  [
    "an origin in which the pattern overlaps itself",
    { origin: "https://a.a", "access-control-request-method": "GET" },
    "open",
    403,
  ],
  [
    "another method",
    { origin: "https://app.example", "access-control-request-method": "DELETE" },
    "open",
    403,
  ],
  [
    "another header",
    {
      origin: "https://app.example",
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    },
    "open",
    403,
  ],
  [
    "a bucket without rules",
    { origin: "https://app.example", "access-control-request-method": "GET" },
    "closed",
    403,
  ],
  [
    "an unknown bucket",
    { origin: "https://app.example", "access-control-request-method": "GET" },
    "none",
    403,
  ],
  ["no origin", { "access-control-request-method": "GET" }, "open", 400],
  ["no method", { origin: "https://app.example" }, "open", 400],
])("a preflight with %s is refused", async (_what, headers, bucket, status) => {
  const answer = await preflight(headers, bucket);
  expect([answer.status, answer.cors]).toEqual([status, {}]);
});

test("answers carry the headers too, even refusals, so that a page can read why", async () => {
  const headers = { origin: "https://app.example" };
  const url = await getSignedUrl(server.client, new GetObjectCommand({ Bucket: "open", Key: "a" }));
  for (const [target, status] of [
    [url, 200],
    [`${server.url}/open/a`, 403],
  ] as const) {
    const answer = await fetch(target, { headers });
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-expose-headers": "ETag, x-amz-request-id",
      vary: expect.stringContaining("Origin"),
    });
  }
});

test("answers carry none for other origins, without an origin, or without rules", async () => {
  const open = await getSignedUrl(server.client, new GetObjectCommand({ Bucket: "open", Key: "a" }));
  const closed = await getSignedUrl(server.client, new GetObjectCommand({ Bucket: "closed", Key: "a" }));
  for (const [url, headers] of [
    [open, { origin: "https://evil.example" }],
    [open, {}],
    [closed, { origin: "https://app.example" }],
  ] as const) {
    const answer = await fetch(url, { headers });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, null]);
  }
});
