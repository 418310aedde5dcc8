import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";

export type Post = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends the request and the reading of its reply. */
  readonly signal: AbortSignal;
  /** Hears when the connection stands: from then on the request may have arrived. */
  readonly onConnect: () => void;
};

const connectMs = 10_000;
/** Some networks forget a connection on which nothing is said for a minute; a picture takes longer. */
const keepAliveMs = 30_000;

/*
 * A connection for each call: one that the other side has just given up would leave open whether a paid call arrived.
 * No compression either: unpacking base64 costs more than receiving it.
 */
const agents = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) };

/** Sends one request and waits for the head of its reply. Follows no redirect, which would take the API key along. */
export function post({ url, headers, body, signal, onConnect }: Post): Promise<IncomingMessage> {
  const isTls = url.protocol === "https:";
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = { method: "POST", headers, signal, timeout: connectMs };
  const request = isTls
    ? requestHttps(url, { ...options, agent: agents.https }, resolve)
    : requestHttp(url, { ...options, agent: agents.http }, resolve);
  request.once("socket", (socket) =>
    socket.once(isTls ? "secureConnect" : "connect", () => {
      socket.setTimeout(0);
      onConnect();
    }),
  );
  request.once("timeout", () => request.destroy(new ConnectTimeout(`No connection within ${connectMs} ms`)));
  request.on("error", reject);
  request.setSocketKeepAlive(true, keepAliveMs);
  request.end(body);
  return promise;
}

class ConnectTimeout extends Error {
  override readonly name = "ConnectTimeout";
  readonly code = "ETIMEDOUT";
}
