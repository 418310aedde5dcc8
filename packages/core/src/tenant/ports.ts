import type { ApiKey } from "./key.ts";

/** API keys, found by the hash of their text. */
export interface Keys {
  find(sha256: string): Promise<ApiKey | null>;
  put(key: ApiKey): Promise<void>;
}
