import { bytesFrom } from "./random.ts";

/** Makes identifiers that look random, differ from each other, and repeat with the seed. */
export type Ids = {
  /** 12 characters a–z and 0–9, as in `files/abc123def456`. */
  resource: () => string;
  /** 22 characters of base64url, as in `responseId`. */
  response: () => string;
};

/** Identifiers of one simulator. */
export function createIds(seed: number): Ids {
  let made = 0;
  const next = (length: number) => {
    made += 1;
    return bytesFrom(`id ${seed} ${made}`, length);
  };
  return {
    resource: () => [...next(12)].map((byte) => (byte % 36).toString(36)).join(""),
    response: () => next(16).toString("base64url"),
  };
}
