import { RequestError } from "./failure.ts";
import type { Resolve } from "./resolver.ts";
import { checkUrl, hostOf, type UrlPolicy, type UrlRefusal } from "./url-policy.ts";
import { vettedAddresses } from "./vetted-addresses.ts";

/**
 * Whether a URL will be taken, as of now: held against the policy, and its host looked up once. `null`: it will. Whoever
 * requests it later has to guard himself all the same: names change their mind.
 */
export type UrlChecker = (url: string) => Promise<UrlRefusal | null>;

export type UrlCheckerOptions = UrlPolicy & { readonly resolve: Resolve };

/** A resolver asks each name server in turn; somebody waits meanwhile. */
const patienceMs = 5_000;

/** Loads no HTTP stack: for those who take URLs and leave the requests to others. */
export function urlChecker({ resolve, ...policy }: UrlCheckerOptions): UrlChecker {
  return async (text) => {
    const target = checkUrl(text, policy);
    if ("refused" in target) return target.refused;
    const host = hostOf(target.url);
    const { promise: outOfPatience, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const reason = `its name servers didn't answer within ${patienceMs / 1_000} s`;
      reject(new RequestError("dns_failed", `Cannot find "${host}": ${reason}`));
    }, patienceMs);
    try {
      await Promise.race([vettedAddresses(host, target.reach, resolve), outOfPatience]);
      return null;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code === "blocked_address") return { code: "blocked_address", message: error.message };
      return { code: "dns_failed", message: `${error.message}; try again when it can be found` };
    } finally {
      clearTimeout(timer);
    }
  };
}
