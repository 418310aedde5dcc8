import { sha256Hex } from "../hash.ts";

export const scopes = ["jobs:write", "jobs:read", "webhooks:admin", "keys:admin"] as const;
export type Scope = (typeof scopes)[number];

/** What is kept of an API key: never the key itself, only its hash. Times are epoch milliseconds. */
export type ApiKey = {
  /** Public part of the key, for lists and logs. */
  readonly id: string;
  readonly sha256: string;
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
};

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const idLength = 8;
const secretLength = 32;
const checkLength = 6;

/** Random bytes that a key takes. */
export const keyEntropyBytes = 2 * (idLength + secretLength);

/**
 * A new API key, `plk_<8 id>_<32 secret>_<6 check>` in base62: the prefix and the check let scanners find leaked keys
 * and tell typos without asking us. The text is shown once.
 * @param entropy `keyEntropyBytes` random bytes
 */
export function issueKey(
  about: { tenant: string; scopes: readonly Scope[]; at: number },
  entropy: Uint8Array,
): { key: ApiKey; text: string } {
  if (entropy.length < keyEntropyBytes) {
    throw new RangeError(
      `Cannot issue a key: ${entropy.length} random bytes given, ${keyEntropyBytes} needed`,
    );
  }
  const letters = Array.from({ length: idLength + secretLength }, (_, index) => {
    // Two bytes per letter: what is left of 65536 after whole multiples of 62 biases by under 0.1 %
    const number = ((entropy[2 * index] ?? 0) << 8) | (entropy[2 * index + 1] ?? 0);
    return base62[number % base62.length];
  }).join("");
  const id = letters.slice(0, idLength);
  const body = `plk_${id}_${letters.slice(idLength)}`;
  const text = `${body}_${checksum(body)}`;
  const key: ApiKey = {
    id,
    sha256: sha256Hex(text),
    tenant: about.tenant,
    scopes: about.scopes,
    createdAt: about.at,
  };
  return { key, text };
}

/** Whether a text can be one of our keys at all; a typo is told without a look into the store. */
export function isKeyText(text: string): boolean {
  const match = /^(plk_[0-9A-Za-z]{8}_[0-9A-Za-z]{32})_([0-9A-Za-z]{6})$/.exec(text);
  return match?.[1] !== undefined && checksum(match[1]) === match[2];
}

/** CRC-32 (IEEE) in base62. */
function checksum(text: string): string {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  let rest = (crc ^ 0xffffffff) >>> 0;
  let digits = "";
  for (let place = 0; place < checkLength; place += 1) {
    digits = base62.charAt(rest % base62.length) + digits;
    rest = Math.floor(rest / base62.length);
  }
  return digits;
}
