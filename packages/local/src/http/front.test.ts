import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Outcome } from "../lambda/execution-environment.ts";
import type { FunctionPool } from "../lambda/pool.ts";
import { answerDevRoute } from "./dev-routes.ts";
import { type HttpFront, startFront } from "./front.ts";
import { webhookInbox } from "./webhook-inbox.ts";

let front: HttpFront;
let events: Record<string, unknown>[];
let outcome: (event: unknown) => Promise<Outcome>;
let killable = false;

const pool: FunctionPool = {
  name: "api",
  async invoke(event) {
    events.push(JSON.parse(JSON.stringify(event)));
    return outcome(event);
  },
  warm: async () => undefined,
  kill: async () => killable,
  stop: async () => undefined,
  status: () => ({ name: "api", threads: 2, busy: 1, inFlight: 3 }),
};

const returns = (result: unknown) => async (): Promise<Outcome> => ({
  ok: true,
  result: JSON.stringify(result),
});
const fails = (errorType: string) => async (): Promise<Outcome> => ({
  ok: false,
  error: { errorType, errorMessage: "" },
});

function open(timeoutMs = 1000): void {
  front.open({
    apiId: "Api",
    accountId: "000000000000",
    pool,
    timeoutMs,
    intercept: (request, body) =>
      answerDevRoute(request, body, [pool], webhookInbox(memoryEndpoints(memoryDeliveries()))),
  });
}

beforeEach(async () => {
  events = [];
  outcome = returns({ statusCode: 200, body: "ok" });
  front = await startFront(0, () => undefined);
});
afterEach(() => front.stop());

describe("a request", () => {
  test("becomes an event of payload format 2.0", async () => {
    open();
    await fetch(`${front.url}/v1/jobs/a%20b?status=running&status=queued&q=%C3%BC`, {
      method: "POST",
      headers: [
        ["Content-Type", "application/json"],
        ["X-Twice", "one"],
        ["X-Twice", "two"],
        ["Cookie", "a=1; b=2"],
        ["User-Agent", "tester"],
      ],
      body: '{"prompt":"ü"}',
    });
    const [event] = events;
    expect(event).toMatchObject({
      version: "2.0",
      routeKey: "$default",
      rawPath: "/v1/jobs/a b",
      rawQueryString: "status=running&status=queued&q=%C3%BC",
      queryStringParameters: { status: "running,queued", q: "ü" },
      cookies: ["a=1", "b=2"],
      headers: {
        "content-type": "application/json",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-twice": "one, two",
      },
      requestContext: {
        accountId: "000000000000",
        apiId: "Api",
        domainName: front.url.slice("http://".length),
        http: {
          method: "POST",
          path: "/v1/jobs/a b",
          protocol: "HTTP/1.1",
          sourceIp: "127.0.0.1",
          userAgent: "tester",
        },
        stage: "$default",
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      body: '{"prompt":"ü"}',
      isBase64Encoded: false,
    });
    expect(event).not.toHaveProperty("headers.cookie");
  });

  test("joins headers that are sent more than once with a comma", async () => {
    open();
    const { port, hostname } = new URL(front.url);
    const socket = connect(Number(port), hostname);
    socket.end("GET / HTTP/1.1\r\nHost: x\r\nX-Many: 1\r\nX-Many: 2\r\nConnection: close\r\n\r\n");
    await text(socket);
    expect(events[0]).toHaveProperty(["headers", "x-many"], "1,2");
  });

  test.each(["image/png", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "of type %s travels as base64",
    async (type) => {
      open();
      const bytes = new Uint8Array([0, 255, 128, 10]);
      await fetch(front.url, { method: "POST", headers: { "content-type": type }, body: bytes });
      expect(events[0]).toMatchObject({ isBase64Encoded: true, body: Buffer.from(bytes).toString("base64") });
    },
  );

  test("without query, cookies and body leaves them out", async () => {
    open();
    await fetch(front.url);
    expect(Object.keys(events[0] ?? {})).not.toEqual(expect.arrayContaining(["cookies"]));
    expect(events[0]).toMatchObject({ rawPath: "/", rawQueryString: "", isBase64Encoded: false });
    expect(events[0]).not.toHaveProperty("body");
    expect(events[0]).not.toHaveProperty("queryStringParameters");
  });

  test("whose path is no valid encoding is refused", async () => {
    open();
    expect((await fetch(`${front.url}/%E0%A4%A`)).status).toBe(400);
  });
});

describe("an answer", () => {
  const get = async () => {
    open();
    return fetch(front.url, { redirect: "manual" });
  };

  test("keeps status, headers, several cookies and text", async () => {
    outcome = returns({
      statusCode: 201,
      headers: { "Content-Type": "application/json", ETag: '"x"', "x-n": 1 },
      cookies: ["a=1; Path=/", "b=2"],
      body: '{"ü":1}',
    });
    const response = await get();
    expect(response.status).toBe(201);
    expect(response.headers.get("etag")).toBe('"x"');
    expect(response.headers.get("x-n")).toBe("1");
    expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2"]);
    expect(await response.json()).toEqual({ ü: 1 });
  });

  test("in base64 is sent as bytes", async () => {
    outcome = returns({
      statusCode: 200,
      headers: { "content-type": "image/png" },
      body: "AP+A",
      isBase64Encoded: true,
    });
    expect([...new Uint8Array(await (await get()).arrayBuffer())]).toEqual([0, 255, 128]);
  });

  test("without a status is JSON with 200", async () => {
    outcome = returns({ hello: "world" });
    const response = await get();
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ hello: "world" });
  });

  test("of 304 has no body", async () => {
    outcome = returns({ statusCode: 304, headers: { etag: '"x"' } });
    const response = await get();
    expect([response.status, await response.text()]).toEqual([304, ""]);
  });

  test.each([
    ["a function that failed", "TypeError", 500, "Internal Server Error"],
    ["a function without a free thread", "TooManyRequestsException", 503, "Service Unavailable"],
  ])("stands in for %s", async (_what, errorType, status, message) => {
    outcome = fails(errorType);
    const response = await get();
    expect([response.status, await response.json()]).toEqual([status, { message }]);
  });

  test("is 500 when the function returned nonsense", async () => {
    outcome = returns({ statusCode: "many" });
    expect((await get()).status).toBe(500);
  });
});

describe("limits", () => {
  test("a body above 10 MB is refused with 413", async () => {
    open();
    const response = await fetch(front.url, { method: "POST", body: Buffer.alloc(10 * 1024 * 1024 + 1) });
    expect([response.status, await response.json()]).toEqual([413, { message: "Request Entity Too Large" }]);
    expect(events).toEqual([]);
  });

  test("an event above 6 MB is refused with 413", async () => {
    outcome = fails("RequestTooLargeException");
    open();
    expect((await fetch(front.url, { method: "POST", body: Buffer.alloc(5 * 1024 * 1024) })).status).toBe(
      413,
    );
  });

  test("a function that takes too long is answered 503", async () => {
    outcome = () => new Promise(() => undefined);
    open(50);
    const response = await fetch(front.url);
    expect([response.status, await response.json()]).toEqual([503, { message: "Service Unavailable" }]);
  });

  test("a request before all is up is answered 503", async () => {
    expect((await fetch(front.url)).status).toBe(503);
  });

  test("a long poll blocks nobody", async () => {
    const gate = Promise.withResolvers<Outcome>();
    outcome = async (event) =>
      JSON.stringify(event).includes("wait") ? gate.promise : { ok: true, result: '{"statusCode":204}' };
    open();
    const waiting = Array.from({ length: 20 }, () => fetch(`${front.url}/?wait=20`));
    expect((await fetch(front.url)).status).toBe(204);
    gate.resolve({ ok: true, result: '{"statusCode":200}' });
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(20).fill(200));
  });
});

describe("routes of the local runtime", () => {
  test("list the functions", async () => {
    open();
    expect(await (await fetch(`${front.url}/__dev/functions`)).json()).toEqual({
      functions: [{ name: "api", threads: 2, busy: 1, inFlight: 3 }],
    });
    expect(events).toEqual([]);
  });

  test.each([
    ["a busy function", true, "POST", "api", 200],
    ["an idle function", false, "POST", "api", 409],
    ["an unknown function", true, "POST", "nobody", 404],
    ["a function by reading", true, "GET", "api", 404],
  ])("kill %s", async (_what, busy, method, name, status) => {
    killable = busy;
    open();
    expect((await fetch(`${front.url}/__dev/functions/${name}/kill`, { method })).status).toBe(status);
  });
});

test("a port that is taken is named together with the way out", async () => {
  const { port } = new URL(front.url);
  await expect(startFront(Number(port), () => undefined)).rejects.toThrow(
    `Cannot listen on port ${port}: another process listens there; stop it, or choose another port with --port`,
  );
});

test("stopping ends requests under way", async () => {
  outcome = () => new Promise(() => undefined);
  const other = await startFront(0, () => undefined);
  other.open({ apiId: "Api", accountId: "0", pool, timeoutMs: 30_000 });
  const pending = httpRequest(other.url).end();
  const failed = once(pending, "error");
  await expect.poll(() => events.length).toBe(1);
  await other.stop();
  expect(await failed).toHaveLength(1);
});
