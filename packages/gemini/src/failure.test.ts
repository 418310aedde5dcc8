import { describe, expect, test } from "vitest";
import { failureOf } from "./failure.ts";
import httpErrors from "./fixtures/http-errors.json" with { type: "json" };
import noImage from "./fixtures/no-image.json" with { type: "json" };
import { readReply } from "./reply.ts";

const at = Date.UTC(2026, 10, 23, 12);

function http(status: number, body: unknown, retryAfter: string | null = null) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return failureOf({ type: "http", status, body: text, retryAfter, at, secret: "any" });
}

function rateLimited(retryAfter: string | null, retryDelay?: string) {
  const details = retryDelay === undefined ? [] : [{ retryDelay }];
  return http(429, { error: { message: "Slow down", details } }, retryAfter).retryAfterMs;
}

describe("a status that is no success", () => {
  test.each(httpErrors)("is classified: $name", ({ status, body, headers, code, billed, retryAfterMs }) => {
    const failure = http(status, body, headers?.["retry-after"] ?? null);
    expect(failure).toMatchObject({ code, billed, upstream: { status } });
    expect(failure.retryAfterMs).toBe(retryAfterMs);
  });

  test("tells Google's own words, but no gateway's HTML", () => {
    const error = { error: { message: "The model is overloaded. Please try again later." } };
    expect(http(503, error).upstream?.message).toBe("The model is overloaded. Please try again later.");
    expect(http(503, "<html>503</html>").upstream).toEqual({ status: 503 });
  });

  test("is classified by Google's words, whatever the key hides of them", () => {
    const error = { error: { message: "The company's API key: any", details: [] } };
    expect(http(400, error)).toMatchObject({
      code: "provider_configuration",
      upstream: { message: "The comp[hidden]'s API key: [hidden]" },
    });
    expect(http(400, { error: { message: "Not any argument" } }).code).toBe("invalid_request");
  });

  test("shortens long words", () => {
    expect(http(400, { error: { message: "é".repeat(2000) } }).upstream?.message).toHaveLength(500);
  });

  test.each([
    ["47s", null, 47_000],
    ["47.434392449s", null, 47_435],
    ["0s", "30", 0],
    ["soon", "30", 30_000],
    [undefined, "Mon, 23 Nov 2026 12:01:30 GMT", 90_000],
    [undefined, "Mon, 23 Nov 2026 11:00:00 GMT", 0],
    [undefined, "soon", undefined],
    [undefined, "", undefined],
    [undefined, null, undefined],
  ])("asks to wait by RetryInfo %s, Retry-After %s: %s ms", (retryDelay, retryAfter, expected) => {
    expect(rateLimited(retryAfter, retryDelay)).toBe(expected);
  });

  test.each(["limit: 0", "limit: 0, model: x", "limit: 0\nPlease retry"])(
    "knows a quota of none: %j",
    (limit) => {
      expect(http(429, { error: { message: `Quota exceeded, ${limit}` } }).code).toBe("quota_exhausted");
    },
  );

  test.each(["limit: 0.5", "limit: 05", "limit: 10"])("knows that this is some quota: %j", (limit) => {
    expect(http(429, { error: { message: `Quota exceeded, ${limit}` } }).code).toBe("rate_limited");
  });
});

describe("a reply without a picture", () => {
  test.each(noImage)("is classified: $name", ({ body, code, billed, finishReason, message }) => {
    const failure = failureOf({ type: "no_image", reply: readReply(body) });
    expect(failure).toMatchObject({ code, billed });
    expect(failure.upstream).toMatchObject({
      status: 200,
      ...(finishReason === undefined ? {} : { finishReason }),
      ...(message === undefined ? {} : { message }),
    });
  });

  test("in words gives the words, without the thoughts", () => {
    const parts = [
      { text: "Hm", thought: true },
      { text: "I can't draw that.\n" },
      { text: " A cat instead?" },
    ];
    const reply = readReply({ candidates: [{ content: { parts }, finishReason: "STOP" }] });
    expect(failureOf({ type: "no_image", reply }).message).toBe(
      "Gemini answered in words: I can't draw that.\nA cat instead?",
    );
  });
});
