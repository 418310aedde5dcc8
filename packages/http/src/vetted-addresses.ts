import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { isWithin, type Reach } from "./address.ts";
import { RequestError } from "./failure.ts";
import type { Resolve } from "./resolver.ts";

/**
 * The addresses of a host, if all of them lie within reach: one that doesn't gives the whole answer away.
 * @throws RequestError `blocked_address`, `dns_failed`
 */
export async function vettedAddresses(
  host: string,
  reach: Reach,
  resolve: Resolve,
): Promise<readonly LookupAddress[]> {
  const addresses = await addressesOf(host, reach, resolve);
  const outside = addresses.find(({ address }) => !isWithin(reach, address));
  if (outside) throw blocked(host, outside.address);
  return addresses;
}

async function addressesOf(host: string, reach: Reach, resolve: Resolve): Promise<readonly LookupAddress[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  if (reach === "loopback") {
    // `localhost`, which name servers needn't know.
    return [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ];
  }
  return resolve(host);
}

/** What is wrong with a host that is, or leads to, an address out of reach. */
export function blocked(host: string, address: string): RequestError {
  const what = host === address ? "it isn't a public address" : `it leads to ${address}, which isn't public`;
  return new RequestError("blocked_address", `Cannot use "${host}": ${what}`);
}
