import { createHash } from "node:crypto";

/**
 * SHA-256 in hex. Node's own, since it is synchronous: WebCrypto goes through a thread pool, and then the order in
 * which a simulation runs would depend on the machine.
 */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
