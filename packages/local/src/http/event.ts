import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** What the event says of the API it came through. */
export type Front = { readonly apiId: string; readonly accountId: string };

/** Types that API Gateway passes on as text; any other body travels as base64. */
const textType = /^\s*(text\/|application\/([\w.+-]+\+)?(json|xml|javascript)\b)/i;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * A request as the payload of an HTTP API, format 2.0: header names in lower case, repeated ones joined, cookies apart,
 * the path decoded. Throws a URIError when the path is not valid percent-encoding.
 */
export function gatewayEvent(request: IncomingMessage, body: Buffer, front: Front, now: Date) {
  const { method = "GET", url = "/", httpVersion, socket } = request;
  const [encodedPath = "/", ...query] = url.split("?");
  const rawPath = decodeURIComponent(encodedPath);
  const rawQueryString = query.join("?");
  const host = request.headers.host ?? "localhost";
  const { cookie, ...headers } = joinedHeaders(request);
  const text = isText(request);
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/;\s*/) }),
    headers: {
      ...headers,
      "x-forwarded-for": socket.remoteAddress ?? "127.0.0.1",
      "x-forwarded-port": String(socket.localPort ?? ""),
      "x-forwarded-proto": "http",
    },
    ...(rawQueryString === "" ? {} : { queryStringParameters: joinedQuery(rawQueryString) }),
    requestContext: {
      accountId: front.accountId,
      apiId: front.apiId,
      domainName: host,
      domainPrefix: host.split(".")[0],
      http: {
        method,
        path: rawPath,
        protocol: `HTTP/${httpVersion}`,
        sourceIp: socket.remoteAddress ?? "127.0.0.1",
        userAgent: request.headers["user-agent"] ?? "",
      },
      requestId: randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: commonLogTime(now),
      timeEpoch: now.getTime(),
    },
    ...(body.length === 0 ? {} : { body: body.toString(text ? "utf8" : "base64") }),
    isBase64Encoded: body.length > 0 && !text,
  };
}

function joinedHeaders(request: IncomingMessage): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, values = []] of Object.entries(request.headersDistinct)) {
    joined[name] = values.join(name === "cookie" ? "; " : ",");
  }
  return joined;
}

function joinedQuery(query: string): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    joined[name] = joined[name] === undefined ? value : `${joined[name]},${value}`;
  }
  return joined;
}

function isText({ headers }: IncomingMessage): boolean {
  const encoding = headers["content-encoding"];
  return (encoding === undefined || encoding === "identity") && textType.test(headers["content-type"] ?? "");
}

/** As `23/Nov/2026:14:05:09 +0000`. */
function commonLogTime(now: Date): string {
  const [date = "", time = ""] = now.toISOString().split(/[T.]/);
  const [year, month, day] = date.split("-");
  return `${day}/${months[Number(month) - 1]}/${year}:${time} +0000`;
}
