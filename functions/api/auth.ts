import type { Clock } from "@plantain/core/clock";
import { sha256Hex } from "@plantain/core/hash";
import { type ApiKey, isKeyText, type Scope } from "@plantain/core/tenant/key";
import type { Keys } from "@plantain/core/tenant/ports";
import type { MiddlewareHandler } from "hono";
import type { ApiContext } from "./ports.ts";
import { problem } from "./problem.ts";

const keptMs = 60_000;
const mostKept = 1_000;

/**
 * Finds the caller behind `Authorization: Bearer <key>` and puts it at `c.var.caller`. Malformed, unknown and revoked
 * keys get the same answer. Keys are kept for a minute, which is how long a revocation may take.
 */
export function auth(keys: Keys, clock: Clock): MiddlewareHandler<ApiContext> {
  const kept = new Map<string, { key: ApiKey; until: number }>();
  const find = async (text: string): Promise<ApiKey | null> => {
    if (!isKeyText(text)) return null;
    const sha256 = sha256Hex(text);
    const known = kept.get(sha256);
    if (known && known.until > clock.now()) return known.key;
    const key = await keys.find(sha256);
    if (kept.size >= mostKept) kept.clear();
    if (key) kept.set(sha256, { key, until: clock.now() + keptMs });
    else kept.delete(sha256);
    return key;
  };
  return async (c, next) => {
    const text = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    const caller = text === undefined ? null : await find(text);
    if (!caller) {
      const detail = "Send a valid API key as `Authorization: Bearer <key>`";
      return problem(c, "unauthorized", detail, [], { "www-authenticate": 'Bearer realm="plantain"' });
    }
    c.set("caller", caller);
    return next();
  };
}

/** Lets only keys of this scope pass. */
export function needs(scope: Scope): MiddlewareHandler<ApiContext> {
  return async (c, next) => {
    if (c.var.caller.scopes.includes(scope)) return next();
    return problem(c, "missing_scope", `This needs a key with scope "${scope}"`);
  };
}
