import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import httpErrors from "./fixtures/http-errors.json" with { type: "json" };
import noImage from "./fixtures/no-image.json" with { type: "json" };
import { drawn, part, png } from "./fixtures/replies.ts";
import { answering, closeServers, generate, type Handler, key, listen } from "./fixtures/server.ts";

describe("a refusal", () => {
  test.each(noImage)("is classified on its way through @google/genai: $name", async (row) => {
    const answer = await generate(answering(row.body));
    expect(answer).toMatchObject({ type: "failure", failure: { code: row.code, billed: row.billed } });
    if (row.message !== undefined) {
      expect(answer).toMatchObject({ failure: { upstream: { message: row.message } } });
    }
  });

  test.each(httpErrors)("is classified on its way through @google/genai: $name", async (row) => {
    const answer = await generate(answering(row.body, row.status, row.headers));
    expect(answer).toMatchObject({
      type: "failure",
      failure: { code: row.code, billed: row.billed, upstream: { status: row.status } },
      usage: null,
    });
    if (row.retryAfterMs !== undefined)
      expect(answer).toMatchObject({ failure: { retryAfterMs: row.retryAfterMs } });
  });

  test("never tells the API key, though Google does", async () => {
    const message = `Permission denied: Consumer 'api_key:${key}' has been suspended.`;
    const answer = await generate(
      answering({ error: { code: 403, message, status: "PERMISSION_DENIED" } }, 403),
    );
    expect(answer).toMatchObject({
      failure: {
        code: "provider_configuration",
        upstream: { message: expect.stringContaining("suspended") },
      },
    });
    expect(JSON.stringify(answer)).not.toContain(key);
  });

  test("without end is not waited for", async () => {
    const answer = await generate((_, response) => {
      const more = setInterval(() => response.write("x".repeat(60_000)), 1);
      response.once("close", () => clearInterval(more));
      response.writeHead(502, { "content-type": "text/html" });
    });
    expect(answer).toMatchObject({ failure: { code: "upstream_error", billed: "unknown" } });
  });
});

describe("a connection", () => {
  const lost = (message: unknown) => ({
    type: "failure",
    failure: { code: "upstream_error", billed: "unknown", message },
  });

  test("that nobody takes costs nothing", async () => {
    const baseUrl = await listen(answering({}));
    closeServers();
    expect(await generate(answering({}), { baseUrl })).toEqual({
      type: "failure",
      failure: { code: "upstream_error", billed: "no", message: "Cannot connect to Gemini (ECONNREFUSED)" },
      usage: null,
    });
  });

  test("that can't be made secure costs nothing", async () => {
    const baseUrl = (await listen(answering({}))).replace("http:", "https:");
    expect(await generate(answering({}), { baseUrl })).toMatchObject({
      failure: {
        code: "upstream_error",
        billed: "no",
        message: expect.stringContaining("Cannot connect to Gemini ("),
      },
    });
  });

  test("that is reset before any answer may have cost something", async () => {
    const answer = await generate((request) => request.socket.resetAndDestroy());
    expect(answer).toMatchObject(lost(expect.stringMatching(/^The connection to Gemini broke \(/)));
  });

  test("that is reset, or ends, inside a picture may have cost something", async () => {
    const body = JSON.stringify(drawn(part(png(100, 100, randomBytes(300_000)))));
    const half = body.slice(0, 200_000);
    const breaking =
      (end: (socket: Socket) => void): Handler =>
      (request, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
        response.write(half, () => setTimeout(() => end(request.socket), 20));
      };
    const brokeOff = lost(expect.stringContaining("Gemini's answer broke off ("));
    expect(await generate(breaking((socket) => socket.resetAndDestroy()))).toMatchObject(brokeOff);
    expect(await generate(breaking((socket) => socket.end()))).toMatchObject(brokeOff);
    expect(await generate(answering(half))).toMatchObject(lost("Gemini's answer broke off inside a picture"));
  });

  test("that ends inside the JSON, or brings none, may have cost something", async () => {
    const unreadable = lost("Gemini's answer is cut or no JSON");
    expect(await generate(answering('{"candidates":[{"content":{"pa'))).toMatchObject(unreadable);
    expect(await generate(answering("<html>Welcome</html>"))).toMatchObject(unreadable);
    expect(await generate(answering(""))).toMatchObject(unreadable);
  });

  test("that breaks inside an error tells the error", async () => {
    const answer = await generate((request, response) => {
      response.writeHead(429, { "content-type": "application/json", "retry-after": "7" });
      response.write('{"error":{', () => setTimeout(() => request.socket.resetAndDestroy(), 20));
    });
    expect(answer).toMatchObject({ failure: { code: "rate_limited", retryAfterMs: 7000 } });
  });

  test("that answers too late may have cost something", async () => {
    const silent = await generate(() => undefined, { callTimeoutMs: 50 });
    expect(silent).toMatchObject({ failure: { code: "timeout", billed: "unknown" } });
    const stalled: Handler = (_, response) => void response.write('{"candidates":[');
    expect(await generate(stalled, { callTimeoutMs: 50 })).toMatchObject({ failure: { code: "timeout" } });
  });

  test("is not followed elsewhere with the key", async () => {
    let followed = false;
    const elsewhere = await listen((request, response, body) => {
      followed = true;
      answering(drawn(part(png(10, 10))))(request, response, body);
    });
    const answer = await generate(answering("", 307, { location: `${elsewhere}/v1beta` }));
    expect(answer).toMatchObject({ failure: { code: "upstream_error", upstream: { status: 307 } } });
    expect(followed).toBe(false);
  });
});
