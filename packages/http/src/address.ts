import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Which addresses may answer for a host: the Internet's, or this very machine's. */
export type Reach = "public" | "loopback";

/** The only IPv6 addresses ever given out; it leaves out whatever embeds or translates an IPv4 address by prefix. */
const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3");

/** Whether an address lies within reach. Anything but an address as the kernel writes it does not. */
export function isWithin(reach: Reach, address: string): boolean {
  // Other spellings and zones (fe80::1%eth0) mean different things to different readers.
  if (isIP(address) === 0 || address.includes("%")) return false;
  const parsed = ipaddr.parse(address);
  if (reach === "loopback") return parsed.range() === "loopback";
  if (parsed.kind() === "ipv6" && !parsed.match(globalUnicast)) return false;
  return parsed.range() === "unicast";
}
