import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { httpClient } from "./client.ts";
import { certificateAuthority } from "./fixtures/certificate.ts";
import { listen, listenTcp } from "./fixtures/servers.ts";

const { ca, issue } = certificateAuthority();
const client = httpClient({ allowLoopback: true, ca });

const send = (url: string, timeoutMs = 5_000, signal?: AbortSignal) =>
  client.send({ url, headers: { "content-type": "application/json" }, body: `{"a":1}`, timeoutMs, signal });

afterEach(() => vi.unstubAllEnvs());

describe("a message", () => {
  it("is posted as it is, and answered with status, Retry-After and body", async () => {
    let received: Pick<IncomingMessage, "method" | "url" | "headers"> | undefined;
    const { promise: body, resolve } = Promise.withResolvers<string>();
    const port = await listen((request, response) => {
      received = request;
      resolve(text(request));
      request.once("end", () => response.writeHead(503, { "retry-after": "120" }).end("later"));
    });
    const answer = await send(`http://localhost:${port}/hook?x=1`);
    expect(answer).toEqual({
      type: "answered",
      status: 503,
      retryAfter: "120",
      body: Buffer.from("later"),
      isWhole: true,
      ms: expect.any(Number),
    });
    expect(received).toMatchObject({
      method: "POST",
      url: "/hook?x=1",
      headers: { "content-type": "application/json", "content-length": "7" },
    });
    expect(await body).toBe(`{"a":1}`);
  });

  it("goes by TLS to a name and to an address, if the certificate says so", async () => {
    const port = await listen((_, response) => response.end(), issue("localhost", "127.0.0.1"));
    expect(await send(`https://localhost:${port}`)).toMatchObject({ status: 200 });
    expect(await send(`https://127.0.0.1:${port}`)).toMatchObject({ status: 200 });
    const other = await listen((_, response) => response.end(), issue("example.com"));
    expect(await send(`https://localhost:${other}`)).toMatchObject({ code: "tls_failed" });
  });

  it("isn't sent by TLS to whoever can't prove to be it, even when the environment says that this doesn't matter", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const port = await listen((_, response) => response.end(), issue("example.com"));
    expect(await send(`https://localhost:${port}`)).toMatchObject({ code: "tls_failed" });
  });

  it("goes past any proxy that the environment names", async () => {
    const proxy = await listen((_, response) => response.writeHead(418).end());
    for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
      vi.stubEnv(name, `http://127.0.0.1:${proxy}`);
    const port = await listen((_, response) => response.end());
    expect(await send(`http://127.0.0.1:${port}`)).toMatchObject({ status: 200 });
  });

  it.each([301, 302, 303, 307, 308])("follows no redirect: %d is a status", async (status) => {
    let requests = 0;
    const port = await listen((_, response) => {
      requests += 1;
      response.writeHead(status, { location: "/elsewhere" }).end();
    });
    expect(await send(`http://localhost:${port}/`)).toMatchObject({ type: "answered", status });
    expect(requests).toBe(1);
  });

  it("has a connection of its own, which is closed after it", async () => {
    const ports = new Set<number | undefined>();
    const closed: Promise<unknown>[] = [];
    const port = await listen((request, response) => {
      ports.add(request.socket.remotePort);
      closed.push(once(request.socket, "close"));
      response.end("ok");
    });
    await send(`http://localhost:${port}`);
    await send(`http://localhost:${port}`);
    expect(ports.size).toBe(2);
    await Promise.all(closed);
  });
});

describe("an answer", () => {
  it("is kept up to 4 KiB, and no more of it is read", async () => {
    const { promise: isClosed, resolve: close } = Promise.withResolvers<void>();
    const port = await listen((_, response) => {
      const more = setInterval(() => response.write("x".repeat(1_000)), 1);
      response.once("close", () => {
        clearInterval(more);
        close();
      });
    });
    const answer = await send(`http://localhost:${port}`);
    expect(answer).toMatchObject({ type: "answered", status: 200, isWhole: false });
    expect("body" in answer && Buffer.from(answer.body).toString()).toBe("x".repeat(4_096));
    await isClosed;
  });

  it("of exactly 4 KiB is whole", async () => {
    const port = await listen((_, response) => response.end("x".repeat(4_096)));
    expect(await send(`http://localhost:${port}`)).toMatchObject({ isWhole: true });
  });

  it("is never decompressed", async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    const port = await listen((_, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(bomb),
    );
    expect(await send(`http://localhost:${port}`)).toMatchObject({ body: bomb.subarray(0, 4_096) });
  });

  it("whose body drips is given up in time, and counts with what there is", async () => {
    const port = await listen((_, response) => {
      const drip = setInterval(() => response.write("x"), 50);
      response.once("close", () => clearInterval(drip));
    });
    const answer = await send(`http://localhost:${port}`, 400);
    expect(answer).toMatchObject({ type: "answered", status: 200, isWhole: false });
    expect(answer.ms).toBeGreaterThanOrEqual(390);
    expect(answer.ms).toBeLessThan(1_500);
  });

  it("whose body breaks off counts all the same", async () => {
    const port = await listenTcp((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")),
    );
    expect(await send(`http://localhost:${port}`)).toMatchObject({
      type: "answered",
      body: Buffer.from("abc"),
      isWhole: false,
    });
  });
});

describe("no answer", () => {
  it("comes from a port that nobody listens at", async () => {
    expect(await send("http://127.0.0.1:1/")).toMatchObject({
      type: "failed",
      code: "connect_failed",
      message: 'Cannot connect to "127.0.0.1" (ECONNREFUSED)',
    });
  });

  it.each([
    ["never answers", () => undefined],
    ["never ends its head", (socket) => void socket.write("HTTP/1.1 200 OK\r\nx: ")],
    [
      "only ever says that it goes on",
      (socket) => {
        const more = setInterval(() => socket.write("HTTP/1.1 102 Processing\r\n\r\n"), 20);
        socket.once("close", () => clearInterval(more));
      },
    ],
  ] satisfies [string, Parameters<typeof listenTcp>[0]][])(
    "in time comes from a server that %s",
    async (_, onConnection) => {
      const port = await listenTcp(onConnection);
      const answer = await send(`http://localhost:${port}`, 300);
      expect(answer).toMatchObject({
        type: "failed",
        code: "timed_out",
        message: '"localhost" didn\'t answer within 300 ms',
      });
      expect(answer.ms).toBeLessThan(1_500);
    },
  );

  it("in time comes from a server that never begins TLS, and its connection is closed", async () => {
    const { promise: isClosed, resolve: close } = Promise.withResolvers<void>();
    const port = await listenTcp((socket) => {
      socket.resume();
      socket.once("close", () => close());
    });
    expect(await send(`https://localhost:${port}`, 300)).toMatchObject({ code: "timed_out" });
    await isClosed;
  });

  it.each([
    ["ends", "connection_lost", (socket) => void socket.once("data", () => socket.end())],
    ["is reset", "connection_lost", (socket) => void socket.once("data", () => socket.resetAndDestroy())],
    [
      "speaks no HTTP",
      "malformed_answer",
      (socket) => void socket.once("data", () => socket.end("220 smtp ready\r\n")),
    ],
    [
      "has a head without end",
      "malformed_answer",
      (socket) =>
        void socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}\r\n\r\n`)),
    ],
  ] satisfies [string, string, Parameters<typeof listenTcp>[0]][])(
    "comes over a connection that %s: %s",
    async (_, code, onConnection) => {
      const port = await listenTcp(onConnection);
      expect(await send(`http://localhost:${port}`)).toMatchObject({ type: "failed", code });
    },
  );

  it("comes from where no URL leads", async () => {
    expect(await send("http://example.com/")).toMatchObject({ type: "failed", code: "invalid_url" });
    expect(await send("https://10.0.0.1/")).toMatchObject({ type: "failed", code: "blocked_address" });
    const strict = httpClient();
    const message = { headers: {}, body: "", timeoutMs: 1_000 };
    expect(await strict.send({ ...message, url: "http://localhost/" })).toMatchObject({
      code: "invalid_url",
    });
    expect(await strict.send({ ...message, url: "https://127.0.0.1/" })).toMatchObject({
      code: "blocked_address",
    });
  });
});

describe("a caller", () => {
  it("can give up, before and while it waits", async () => {
    const port = await listenTcp(() => undefined);
    const reason = new Error("Stopping");
    await expect(send(`http://localhost:${port}`, 5_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const giving = new AbortController();
    setTimeout(() => giving.abort(reason), 100);
    await expect(send(`http://localhost:${port}`, 5_000, giving.signal)).rejects.toBe(reason);
  });

  it("is told of its own mistakes by an error", async () => {
    const headers = { "x-name": "a\r\nb" };
    const sending = client.send({ url: "http://localhost:1/", headers, body: "", timeoutMs: 1_000 });
    await expect(sending).rejects.toThrow("invalid x-name header");
  });
});
