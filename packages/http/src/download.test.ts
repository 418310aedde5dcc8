import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { httpClient } from "./client.ts";
import { listen, listenTcp } from "./fixtures/servers.ts";

const client = httpClient({ allowLoopback: true });
const download = (port: number, maxBytes = 100_000, timeoutMs = 5_000) =>
  client.download({ url: `http://localhost:${port}/cat.png`, maxBytes, timeoutMs });

describe("a download", () => {
  it("gives the bytes in the pieces they came in, and what the server says they are", async () => {
    const content = Buffer.alloc(100_000, "ab");
    const port = await listen((request, response) => {
      expect(request.method).toBe("GET");
      expect(request.headers["accept-encoding"]).toBe("identity");
      expect(request.headers["user-agent"]).toBe("Plantain-Images/1");
      response.writeHead(200, { "content-type": "image/png" }).end(content);
    });
    const file = await download(port);
    expect(file).toMatchObject({ type: "downloaded", size: 100_000, contentType: "image/png" });
    expect("bytes" in file && Buffer.concat(file.bytes).equals(content)).toBe(true);
  });

  it("isn't begun when the server says that it is too large", async () => {
    const port = await listen((_, response) => {
      response.writeHead(200, { "content-length": "100001" }).flushHeaders();
    });
    expect(await download(port)).toMatchObject({
      type: "failed",
      code: "too_large",
      message: "Cannot take a file of more than 100000 bytes",
    });
  });

  it("stops when there is more than was said", async () => {
    const { promise: isClosed, resolve: close } = Promise.withResolvers<void>();
    const port = await listen((_, response) => {
      const more = setInterval(() => response.write(Buffer.alloc(10_000)), 1);
      response.once("close", () => {
        clearInterval(more);
        close();
      });
    });
    expect(await download(port)).toMatchObject({ type: "failed", code: "too_large" });
    await isClosed;
  });

  it.each([204, 206, 302, 404, 500])("takes no status but 200: %d", async (status) => {
    const port = await listen((_, response) => response.writeHead(status, { location: "/dog.png" }).end());
    expect(await download(port)).toMatchObject({ type: "refused", status });
  });

  it.each(["identity", "Identity", "aws-chunked", ""])(
    "takes what is said to be encoded as %j",
    async (encoding) => {
      const port = await listen((_, response) =>
        response.writeHead(200, { "content-encoding": encoding }).end("cat"),
      );
      expect(await download(port)).toMatchObject({ type: "downloaded", size: 3 });
    },
  );

  it("holds no more memory than it counts, however much framing there is between the bytes", async () => {
    const port = await listenTcp((socket) =>
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        for (let sent = 0; sent < 200; sent += 1) socket.write(`1;${"x".repeat(60_000)}\r\nb\r\n`);
        socket.end("0\r\n\r\n");
      }),
    );
    const file = await download(port);
    expect(file).toMatchObject({ type: "downloaded", size: 200 });
    const buffers = new Set("bytes" in file ? file.bytes.map(({ buffer }) => buffer) : []);
    expect([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThanOrEqual(65_536);
  });

  it("takes nothing compressed, for it asked for none", async () => {
    const port = await listen((_, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("cat")),
    );
    expect(await download(port)).toMatchObject({ code: "malformed_answer" });
  });

  it("is all or nothing: half a file is a lost connection", async () => {
    const port = await listenTcp((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")),
    );
    expect(await download(port)).toMatchObject({ type: "failed", code: "connection_lost" });
  });

  it("that drips is given up in time", async () => {
    const port = await listen((_, response) => {
      const drip = setInterval(() => response.write("x"), 50);
      response.once("close", () => clearInterval(drip));
    });
    expect(await download(port, 100_000, 300)).toMatchObject({ type: "failed", code: "timed_out" });
  });

  it("obeys the same rules as everything else", async () => {
    const fetched = { maxBytes: 1, timeoutMs: 1_000 };
    expect(await client.download({ ...fetched, url: "http://example.com/" })).toMatchObject({
      code: "invalid_url",
    });
    expect(await client.download({ ...fetched, url: "https://10.0.0.1/" })).toMatchObject({
      code: "blocked_address",
    });
  });
});
