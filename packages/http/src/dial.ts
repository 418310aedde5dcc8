import type { LookupAddress } from "node:dns";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { codeOf, RequestError } from "./failure.ts";

/** Where to: `host` is what the URL says, `addresses` is what it comes down to. */
export type Destination = {
  readonly host: string;
  readonly addresses: readonly LookupAddress[];
  readonly port: number;
};

/**
 * Opens a TCP connection to one of the addresses.
 * @param signal ends it, also when it stands
 * @throws RequestError `connect_failed`
 */
export type Dial = (destination: Destination, signal: AbortSignal) => Promise<Socket>;

/** How long one of several addresses may take before the next one is tried. */
const perAddressMs = 500;

/** Tries the addresses in turn, both families alternately. */
export const dialTcp: Dial = ({ host, addresses, port }, signal) => {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const [first] = addresses;
  const socket = connect({
    host,
    port,
    signal,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: perAddressMs,
    lookup: (_, { all }, found) => {
      if (all) found(null, [...addresses]);
      else found(null, first?.address ?? "", first?.family);
    },
  });
  socket.once("connect", () => resolve(socket));
  // Stays on: under TLS nobody else listens, and an abort is an error too.
  socket.on("error", (error) =>
    reject(
      new RequestError("connect_failed", `Cannot connect to "${host}" (${codeOf(error) ?? error.name})`),
    ),
  );
  return promise;
};

/**
 * Makes a connection secure, with the certificate held against the host's name whatever address was dialled.
 * @param ca PEM of the authorities to trust. Default: Node's
 * @throws RequestError `tls_failed`
 */
export function secure(socket: Socket, host: string, ca?: string): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const fail = (reason: string) =>
    reject(new RequestError("tls_failed", `Cannot connect securely to "${host}" (${reason})`));
  const secured = connectTls({
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: true, // said, for the environment can change the default
  });
  secured.once("secureConnect", () => resolve(secured));
  secured.once("error", (error) => fail(codeOf(error) ?? error.name));
  secured.once("close", () => fail("closed"));
  return promise;
}
