import type { LookupAddress } from "node:dns";
import { Resolver } from "node:dns/promises";
import { codeOf, RequestError } from "./failure.ts";

/**
 * The addresses of a host, at least one.
 * @throws RequestError `dns_failed`
 */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** A name whose servers are dead costs its own request some 4 s, and no other anything. */
const patience = { timeout: 1_500, tries: 2, maxTimeout: 2_000 };

/**
 * Asks name servers for A and AAAA records by c-ares. `dns.lookup` would wait in libuv's pool of four threads, where a
 * few dead names hold up every other look-up of the process for seconds; it reads /etc/hosts, too.
 * @param nameServers addresses, with a port as `127.0.0.1:5353`. Default: those of the machine
 */
export function caresResolver(nameServers?: readonly string[]): Resolve {
  const resolver = new Resolver(patience);
  if (nameServers) resolver.setServers(nameServers);
  return async (host) => {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    // One kind is enough: some name servers know nothing of AAAA and say so badly, or not at all.
    const addresses = [...addressesIn(v4, 4), ...addressesIn(v6, 6)];
    if (addresses.length > 0) return addresses;
    throw new RequestError("dns_failed", `Cannot find "${host}": ${reasonOf([v4, v6])}`);
  };
}

function addressesIn(answer: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return answer.status === "rejected" ? [] : answer.value.map((address) => ({ address, family }));
}

function reasonOf(answers: readonly PromiseSettledResult<string[]>[]): string {
  const codes = answers.flatMap((answer) =>
    answer.status === "rejected" ? (codeOf(answer.reason) ?? String(answer.reason)) : [],
  );
  const trouble = codes.find((code) => code !== "ENODATA" && code !== "ENOTFOUND");
  if (trouble !== undefined) return `its name servers fail (${trouble})`;
  return codes.includes("ENOTFOUND") ? "there is no such name" : "the name has no address";
}
