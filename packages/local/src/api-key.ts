import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { sha256Hex } from "@plantain/core/hash";
import { isKeyText, issueKey, keyEntropyBytes, scopes } from "@plantain/core/tenant/key";
import type { Keys } from "@plantain/core/tenant/ports";

/** The tenant that the printed key belongs to. */
export const tenant = "default";

/**
 * The API key to print: the one in `file` as long as the table knows it, else a new one with every scope, which is
 * stored and written to `file` for its owner alone.
 */
export async function apiKeyIn(file: string, keys: Keys, now: number): Promise<string> {
  const kept = readKept(file);
  if (isKeyText(kept) && (await keys.find(sha256Hex(kept))) !== null) return kept;
  const { key, text } = issueKey({ tenant, scopes, at: now }, randomBytes(keyEntropyBytes));
  await keys.put(key);
  const draft = `${file}.new`;
  writeFileSync(draft, `${text}\n`, { mode: 0o600 });
  renameSync(draft, file);
  return text;
}

function readKept(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return ""; // the first start
  }
}
