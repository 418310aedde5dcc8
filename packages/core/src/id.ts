const crockford = "0123456789abcdefghjkmnpqrstvwxyz";

export type JobId = `job_${string}`;

/** Random bytes that an id takes; the rest is its time. */
export const idEntropyBytes = 10;

/**
 * A UUIDv7 in 26 Crockford base32 characters behind a prefix: ids sort by the millisecond they were made in.
 * @param at epoch milliseconds
 * @param entropy at least `idEntropyBytes` random bytes
 */
export function newJobId(at: number, entropy: Uint8Array): JobId {
  return `job_${idText(at, entropy)}`;
}

/** What follows the prefix of an id: 26 characters that sort by time. */
export function idText(at: number, entropy: Uint8Array): string {
  if (entropy.length < idEntropyBytes) {
    throw new RangeError(`Cannot make an id: ${entropy.length} random bytes given, ${idEntropyBytes} needed`);
  }
  let bits = BigInt(at) << 80n;
  for (const [index, byte] of entropy.subarray(0, idEntropyBytes).entries()) {
    bits |= BigInt(byte) << BigInt(8 * (idEntropyBytes - 1 - index));
  }
  const version = 0xfn << 76n;
  const variant = 0x3n << 62n;
  bits = (bits & ~version & ~variant) | (0x7n << 76n) | (0x2n << 62n);
  return base32(bits, 26);
}

/** A number in so many Crockford base32 characters, the highest first. */
export function base32(bits: bigint, length: number): string {
  return Array.from(
    { length },
    (_, at) => crockford[Number((bits >> BigInt(5 * (length - 1 - at))) & 31n)],
  ).join("");
}

export function isJobId(text: string): text is JobId {
  return /^job_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(text);
}

/** Spreads ids evenly over shards: their last characters are random. */
export function shardOf(id: string, shards: number): number {
  return crockford.indexOf(id.slice(-1)) % shards;
}
