import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { type S3Options, startS3 } from "./server.ts";
import { canonicalRequest, hmacHex, type Scope, sha256Hex, signingKey, stringToSign } from "./signature.ts";

export const BUCKET = "images";
export const REGION = "us-east-1";
export const CREDENTIALS = { accessKeyId: "AKIDLOCAL", secretAccessKey: "local/secret+key" };

export type TestServer = {
  readonly url: string;
  readonly dir: string;
  readonly client: S3Client;
  stop(): Promise<void>;
};

/** A server with the bucket `images`, and a client of it; without `dir` on a new directory that `stop` deletes. */
export async function startTestServer(options: Partial<S3Options> = {}): Promise<TestServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "plantain-s3-"));
  const server = await startS3({
    dir,
    buckets: [{ name: BUCKET, cors: [] }],
    credentials: CREDENTIALS,
    region: REGION,
    ...options,
  });
  const client = testClient(server.url);
  return {
    url: server.url,
    dir,
    client,
    async stop() {
      client.destroy();
      await server.stop();
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** One attempt only: a test wants to see the first answer. */
export function testClient(url: string, credentials = CREDENTIALS): S3Client {
  return new S3Client({ endpoint: url, region: REGION, credentials, maxAttempts: 1 });
}

/** The code and status a request is refused with. */
export async function refusal(sent: Promise<unknown>): Promise<{ code: string; status: number | undefined }> {
  try {
    await sent;
  } catch (error) {
    if (error instanceof S3ServiceException) {
      return { code: error.name, status: error.$metadata.httpStatusCode };
    }
    throw error;
  }
  throw new Error("The request was not refused");
}

type RawAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** `<Code>` of an error document; empty without one. */
  readonly code: string;
};

type RawRequest = {
  readonly method: string;
  /** Path and query exactly as they go over the wire. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

/** Sends a request as it is: no normalised path, no added signature. */
export async function sendRaw(
  url: string,
  { method, target, headers = {}, body = "" }: RawRequest,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const length = method === "GET" || method === "HEAD" ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = httpRequest(
      { hostname, port, method, path: target, headers: { ...length, ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const code = /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? "";
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text, code });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** A time as signatures spell it. */
export function amzDate(millis: number): string {
  return new Date(millis).toISOString().replace(/[:-]|\.\d{3}/g, "");
}

/** Signs a raw request in its `Authorization` header; returns the signature too, from which chunk signatures start. */
export function sign(
  url: string,
  { method, target, headers = {}, body = "" }: RawRequest,
  { at = Date.now(), payloadHash = sha256Hex(Buffer.from(body)) } = {},
): { headers: Record<string, string>; signature: string; key: Buffer; scope: Scope; time: string } {
  const time = amzDate(at);
  const scope = { date: time.slice(0, 8), region: REGION, service: "s3" };
  const { pathname, searchParams } = new URL(target, url);
  const signed = new Map<string, string>(
    Object.entries({
      ...headers,
      host: new URL(url).host,
      "x-amz-date": time,
      "x-amz-content-sha256": payloadHash,
    }),
  );
  const signedHeaders = [...signed.keys()].sort();
  const canonical = canonicalRequest({
    method,
    path: decodeURIComponent(pathname),
    query: [...searchParams].map(([name, value]) => ({ name, value })),
    headers: signed,
    signedHeaders,
    payloadHash,
  });
  const key = signingKey(CREDENTIALS.secretAccessKey, scope);
  const signature = hmacHex(key, stringToSign(time, scope, canonical));
  const authorization = `AWS4-HMAC-SHA256 Credential=${CREDENTIALS.accessKeyId}/${scope.date}/${REGION}/s3/aws4_request, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`;
  return { headers: { ...Object.fromEntries(signed), authorization }, signature, key, scope, time };
}

/** Signs and sends a raw request. */
export async function sendSigned(
  url: string,
  request: RawRequest,
  options: Parameters<typeof sign>[2] = {},
): Promise<RawAnswer> {
  return sendRaw(url, { ...request, headers: sign(url, request, options).headers });
}
