import { describe, expect, expectTypeOf, it } from "vitest";
import type { FailedJob } from "./event.ts";
import { jobError, succeededJob } from "./job.fixture.ts";
import { ping, secret, sentAt, signedRequest } from "./webhook.fixture.ts";
import { verifyWebhook } from "./webhook.ts";
import { WebhookVerificationError } from "./webhook-error.ts";

const now = sentAt * 1000;
const timestamp = "2026-09-21T14:13:20.000Z";
const eventOf = (type: string, data: unknown) => JSON.stringify({ type, timestamp, data });

/** What comes of a true request with this body. */
function received(body: string) {
  const request = signedRequest(body);
  return verifyWebhook(request.body, request.headers, secret, { now });
}

/** The refusal of a request that is true but for what the test changes. */
function refusal(change: Partial<{ body: unknown; headers: object; secret: unknown; now: number }>) {
  const { body, headers } = signedRequest(ping);
  try {
    const asked = { body, secret, now, ...change, headers: { ...headers, ...change.headers } };
    // @ts-expect-error: what callers without types may pass
    verifyWebhook(asked.body, asked.headers, asked.secret, { now: asked.now });
  } catch (error) {
    if (error instanceof WebhookVerificationError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("It was accepted");
}

describe("an event", () => {
  it.each([
    ["job.succeeded", succeededJob],
    ["job.failed", { ...succeededJob, status: "failed", images: [], error: jobError }],
    ["job.canceled", { ...succeededJob, status: "canceled", images: [] }],
    [
      "endpoint.disabled",
      { object: "endpoint", id: "ep_1", disabled_reason: "gone", failing_since: timestamp },
    ],
    ["ping", { object: "ping", endpoint: "ep_1" }],
  ])("of type %s comes back with its id, time and data", (type, data) => {
    const { id } = signedRequest("");
    expect(received(eventOf(type, data))).toEqual({ id, timestamp, type, data });
  });

  it("is typed by its type", () => {
    const event = received(eventOf("job.failed", { ...succeededJob, status: "failed", error: jobError }));
    if (event.type !== "job.failed") throw new Error("It isn't what was sent");
    expectTypeOf(event.data).toEqualTypeOf<FailedJob>();
    expect(event.data.error.code).toBe("content_blocked.prompt");
  });

  it("of a type that is newer than the receiver is accepted all the same, or it would be sent for days", () => {
    const { id } = signedRequest("");
    const event = received(eventOf("batch.finished", { n: 1 }));
    expect(event).toEqual({ id, timestamp, type: "unknown", sentType: "batch.finished", data: { n: 1 } });
  });

  it("keeps fields that are newer than the receiver", () => {
    const data = { ...succeededJob, likes: 1 };
    expect(received(eventOf("job.succeeded", data)).data).toEqual(data);
  });

  it.each([
    ["no JSON", "{", "the body is no JSON"],
    ["a list", "[]", "body is no object"],
    ["no type", `{"timestamp":"${timestamp}","data":{}}`, "body.type is no text"],
    ["data that is no object", eventOf("ping", 1), "data is no object"],
    ["a job that isn't over", eventOf("job.canceled", succeededJob), "data.status is none of canceled"],
    [
      "a job in another state",
      eventOf("job.failed", { ...succeededJob, error: jobError }),
      "data.status is none of failed",
    ],
    [
      "a failed job without an error",
      eventOf("job.failed", { ...succeededJob, status: "failed" }),
      "data.error is no object",
    ],
    [
      "an image without a link",
      eventOf("job.succeeded", { ...succeededJob, images: [{ ...succeededJob.images[0], links: {} }] }),
      "data.images[0].links.self is no text",
    ],
  ])("that is truly signed and has %s is told as malformed, by its path", (_, body, message) => {
    expect(() => received(body)).toThrowError(
      expect.objectContaining({ code: "malformed_event", message: expect.stringContaining(message) }),
    );
  });
});

describe("the body", () => {
  it("may be text or bytes", () => {
    const { body, headers } = signedRequest(eventOf("job.succeeded", succeededJob));
    for (const given of [body, Buffer.from(body), new TextEncoder().encode(body)]) {
      expect(verifyWebhook(given, headers, secret, { now }).type).toBe("job.succeeded");
    }
  });

  it.each([[JSON.parse(ping)], [undefined], [null], [7], [new ArrayBuffer(8)]])(
    "is refused if it isn't what arrived: %j",
    (body) => {
      expect(refusal({ body })).toMatchObject({
        code: "body_not_raw",
        message: expect.stringContaining("raw body"),
      });
    },
  );

  it("is refused if it isn't UTF-8, though its lenient reading would be what was signed", () => {
    const { headers } = signedRequest(ping.replace("ep_1", "\ufffd"));
    const body = Buffer.from(ping.replace("ep_1", "\xff"), "latin1");
    expect(refusal({ body, headers }).code).toBe("invalid_body");
    expect(refusal({ body: `${ping}\ud800` }).code).toBe("invalid_body");
  });

  it("is held against the signature with its byte order mark", () => {
    expect(refusal({ body: Buffer.from(`\ufeff${ping}`) }).code).toBe("no_matching_signature");
  });
});

describe("the time", () => {
  it.each([
    [300, "ping"],
    [-300, "ping"],
    [301, "timestamp_too_old"],
    [-301, "timestamp_too_new"],
  ])("may be 5 minutes off and no more: %i s", (seconds, expected) => {
    const { body, headers } = signedRequest(ping);
    const take = () => verifyWebhook(body, headers, secret, { now: now + seconds * 1000 }).type;
    if (expected === "ping") expect(take()).toBe(expected);
    else expect(take).toThrowError(expect.objectContaining({ code: expected }));
  });

  it("may be off by what the receiver says", () => {
    const { body, headers } = signedRequest(ping);
    const late = { now: now + 600_000 };
    expect(verifyWebhook(body, headers, secret, { ...late, toleranceSeconds: 600 }).type).toBe("ping");
    for (const toleranceSeconds of [599, Number.NaN]) {
      expect(() => verifyWebhook(body, headers, secret, { ...late, toleranceSeconds })).toThrow();
    }
  });

  it("is the clock's unless a test says otherwise", () => {
    const { body, headers } = signedRequest(ping);
    expect(() => verifyWebhook(body, headers, secret)).toThrowError(
      expect.objectContaining({ code: expect.stringMatching(/^timestamp_too_(old|new)$/) }),
    );
  });
});
