import { createHash } from "node:crypto";

/** A source of numbers in [0, 1). */
export type Draw = () => number;

/** The hex SHA-256 of a text or of bytes. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** The SHA-256 of several values; unlike joining them, ("ab", "c") and ("a", "bc") differ. */
export function hashOf(...values: readonly (string | number)[]): string {
  return sha256(JSON.stringify(values));
}

/**
 * An endless sequence of numbers in [0, 1) that depends on nothing but `seed`: so what a call meets does not depend on
 * which other calls came before it.
 */
export function drawsFrom(seed: string): Draw {
  let block = Buffer.alloc(0);
  let round = 0;
  let offset = 0;
  return () => {
    if (offset >= block.length) {
      block = createHash("sha256").update(`${seed}#${round}`).digest();
      round += 1;
      offset = 0;
    }
    const value = block.readUInt32BE(offset);
    offset += 4;
    return value / 2 ** 32;
  };
}

/** A whole number from `low` to `high`, both included. */
export function between(draw: Draw, low: number, high: number): number {
  return low + Math.floor(draw() * (high - low + 1));
}

/** Pseudorandom bytes that depend only on `seed`. */
export function bytesFrom(seed: string, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let made = 0; made < length; made += 32) {
    blocks.push(createHash("sha256").update(`${seed}/${made}`).digest());
  }
  return Buffer.concat(blocks, blocks.length * 32).subarray(0, length);
}
