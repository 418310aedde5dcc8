import { createHash } from "node:crypto";

/**
 * SHA-256 in hex. Node's own, since it is synchronous: WebCrypto goes through a thread pool, and then the order in
 * which a simulation runs would depend on the machine.
 */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Of bytes in pieces, as if they were one. */
export function sha256OfPieces(pieces: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}
