import type { Socket } from "node:net";
import { callbackify } from "node:util";
import type { buildConnector } from "undici";
import { isWithin, type Reach } from "./address.ts";
import { type Dial, secure } from "./dial.ts";
import type { Resolve } from "./resolver.ts";
import { hostOf } from "./url-policy.ts";
import { blocked, vettedAddresses } from "./vetted-addresses.ts";

export type Guard = {
  readonly reach: Reach;
  readonly resolve: Resolve;
  readonly dial: Dial;
  /** PEM of the authorities to trust. */
  readonly ca?: string | undefined;
  /** Ends the connecting, and the connection. */
  readonly signal: AbortSignal;
};

/**
 * How undici gets its connections: whatever the URL said and whatever was checked before, none leads out of reach. The
 * addresses that are checked are those that are dialled, so that there is no time between for a name to change its mind.
 */
export function guardedConnector(guard: Guard): buildConnector.connector {
  return (to, callback) => {
    const connecting = callbackify(() => connectTo(to, guard));
    connecting((error, socket) => (error ? callback(error, null) : callback(null, socket)));
  };
}

async function connectTo(to: buildConnector.Options, guard: Guard): Promise<Socket> {
  const { reach, resolve, dial, ca, signal } = guard;
  const isSecure = to.protocol === "https:";
  const host = hostOf(to);
  const addresses = await vettedAddresses(host, reach, resolve);
  signal.throwIfAborted();
  const port = Number(to.port) || (isSecure ? 443 : 80);
  const socket = await dial({ host, addresses, port }, signal);
  const peer = socket.remoteAddress ?? "unknown";
  if (!isWithin(reach, peer)) {
    socket.destroy();
    throw blocked(host, peer);
  }
  return isSecure ? secure(socket, host, ca) : socket;
}
