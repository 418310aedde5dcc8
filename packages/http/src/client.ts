import { type Dial, dialTcp } from "./dial.ts";
import {
  type Downloaded,
  type DownloadFailure,
  type Downloading,
  download,
  type Refused,
} from "./download.ts";
import type { RequestFailure } from "./failure.ts";
import { caresResolver } from "./resolver.ts";
import { type Answered, type Sending, send } from "./send.ts";

/**
 * Requests to URLs that somebody else chose. None reaches an address that isn't public, however its URL is spelled,
 * whatever its name resolves to and whenever that changes.
 */
export interface HttpClient {
  /** Posts. Whatever the receiver or the network does is an answer; only an abort by `signal` rejects. */
  send(message: Sending): Promise<Answered | RequestFailure>;
  /** Gets a file into memory. Whatever the server or the network does is an answer; only an abort by `signal` rejects. */
  download(file: Downloading): Promise<Downloaded | Refused | DownloadFailure>;
}

export type HttpClientOptions = {
  /** Addresses, with a port as `127.0.0.1:5353`. Default: those of the machine. */
  readonly nameServers?: readonly string[];
  /** PEM of the authorities to trust. Default: Node's. */
  readonly ca?: string;
  /** Lets URLs name this machine, by HTTP as well. A public name still leads to public addresses alone. Default: no. */
  readonly allowLoopback?: boolean;
  /** Opens connections. Default: TCP. */
  readonly dial?: Dial;
};

export function httpClient(options: HttpClientOptions = {}): HttpClient {
  const { nameServers, ca, allowLoopback = false, dial = dialTcp } = options;
  const reaching = { resolve: caresResolver(nameServers), dial, ca, allowLoopback };
  return {
    send: (message) => send(message, reaching),
    download: (file) => download(file, reaching),
  };
}
