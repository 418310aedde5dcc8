import { crc32 } from "node:zlib";

export type Crc = { update(chunk: Uint8Array): void; digest(): Buffer };

/** CRC-32 by Node's own native code. */
export function createCrc32(): Crc {
  let value = 0;
  return {
    update: (chunk) => {
      value = crc32(chunk, value);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

/** CRC-32C (Castagnoli). */
export const createCrc32c = (): Crc => createReflectedCrc(CRC32C);
/** CRC-64/NVME, S3's own default. */
export const createCrc64Nvme = (): Crc => createReflectedCrc(CRC64NVME);

/** Eight tables of 256 entries, each entry split into its low and high 32 bits. */
type Tables = { readonly bits: 32 | 64; readonly low: Uint32Array; readonly high: Uint32Array };

const CRC32C = createTables(0x82f63b78n, 32);
const CRC64NVME = createTables(0x9a6c9329ac4bc9b5n, 64);

function createTables(polynomial: bigint, bits: 32 | 64): Tables {
  const low = new Uint32Array(8 * 256);
  const high = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let table = 0; table < 8; table++) {
      for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
      low[table * 256 + byte] = Number(crc & 0xffffffffn);
      high[table * 256 + byte] = Number(crc >> 32n);
    }
  }
  return { bits, low, high };
}

/** Eight bytes a step ("slicing by 8"); a 32-bit CRC is the 64-bit one whose high half stays zero. */
function createReflectedCrc({ bits, low, high }: Tables): Crc {
  let lowWord = 0xffffffff;
  let highWord = bits === 64 ? 0xffffffff : 0;
  return {
    update(chunk) {
      let a = lowWord;
      let b = highWord;
      let index = 0;
      for (const end = chunk.length - 7; index < end; index += 8) {
        const i0 = 1792 + (at(chunk, index) ^ (a & 255));
        const i1 = 1536 + (at(chunk, index + 1) ^ ((a >>> 8) & 255));
        const i2 = 1280 + (at(chunk, index + 2) ^ ((a >>> 16) & 255));
        const i3 = 1024 + (at(chunk, index + 3) ^ (a >>> 24));
        const i4 = 768 + (at(chunk, index + 4) ^ (b & 255));
        const i5 = 512 + (at(chunk, index + 5) ^ ((b >>> 8) & 255));
        const i6 = 256 + (at(chunk, index + 6) ^ ((b >>> 16) & 255));
        const i7 = at(chunk, index + 7) ^ (b >>> 24);
        a =
          at(low, i0) ^
          at(low, i1) ^
          at(low, i2) ^
          at(low, i3) ^
          at(low, i4) ^
          at(low, i5) ^
          at(low, i6) ^
          at(low, i7);
        b =
          at(high, i0) ^
          at(high, i1) ^
          at(high, i2) ^
          at(high, i3) ^
          at(high, i4) ^
          at(high, i5) ^
          at(high, i6) ^
          at(high, i7);
      }
      for (; index < chunk.length; index++) {
        const entry = (a ^ at(chunk, index)) & 255;
        a = at(low, entry) ^ ((a >>> 8) | (b << 24));
        b = at(high, entry) ^ (b >>> 8);
      }
      lowWord = a;
      highWord = b;
    },
    digest() {
      const bytes = Buffer.alloc(bits / 8);
      bytes.writeUInt32BE(~lowWord >>> 0, bytes.length - 4);
      if (bits === 64) bytes.writeUInt32BE(~highWord >>> 0, 0);
      return bytes;
    },
  };
}

/** Indexes here are always in range; this spares the hot loop a branch the compiler cannot remove. */
function at(words: Uint8Array | Uint32Array, index: number): number {
  return words[index] ?? 0;
}
