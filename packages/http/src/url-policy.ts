import { isIP } from "node:net";
import { isWithin, type Reach } from "./address.ts";

/** What is wrong with a URL that somebody wants requested. */
export type UrlRefusalCode =
  | "too_long"
  /** No absolute URL, or one that two readers would understand differently. */
  | "malformed"
  | "not_https"
  | "has_credentials"
  | "has_fragment"
  | "port_not_allowed"
  /** A name that only means something on one machine or in one network. */
  | "host_not_public"
  /** An address that isn't public, however it is spelled; or a name that resolves to one. */
  | "blocked_address"
  /** Told by `urlChecker` alone: the name has no address, or its name servers don't tell. */
  | "dns_failed";

/** Why a URL isn't taken, for an API to answer; `message` says what to change. */
export type UrlRefusal = { readonly code: UrlRefusalCode; readonly message: string };

/** A URL that may be requested, and where its host may lie. */
export type Target = { readonly url: URL; readonly reach: Reach };

export type UrlPolicy = {
  /** Takes URLs whose host is `localhost` or a loopback address too, by HTTP as well and on any port. */
  readonly allowLoopback: boolean;
};

const longestUrl = 2_048;
/** `URL` drops a scheme's own port. */
const ports = ["", "8443"];
/** Names that the public DNS doesn't have, but machines and networks give meaning to. */
const localNames =
  /(?:^|\.)(?:local|internal|localhost|localdomain|lan|home|corp|intranet|private|home\.arpa)$/;

/** Holds a URL against the policy, without looking anything up. */
export function checkUrl(text: string, { allowLoopback }: UrlPolicy): Target | { refused: UrlRefusal } {
  if (text.length > longestUrl) {
    return refuse("too_long", `Cannot take a URL of ${text.length} characters: ${longestUrl} are allowed`);
  }
  if (/[\s\\\p{C}]/u.test(text)) {
    return refuse("malformed", "Cannot take a URL with spaces, backslashes or invisible characters");
  }
  const authority = /^[a-z][a-z\d+.-]*:\/\/([^/?#]+)/i.exec(text)?.[1];
  const url = URL.parse(text);
  if (authority === undefined || !url) {
    return refuse("malformed", "Cannot read the URL: it has to look like https://example.com/path");
  }
  if (authority.includes("@")) {
    return refuse("has_credentials", "Cannot take a URL with a user or password: leave out what ends in @");
  }
  if (text.includes("#")) {
    return refuse("has_fragment", "Cannot take a URL with a fragment: leave out # and what follows");
  }
  if (allowLoopback && isLoopback(url)) return { url, reach: "loopback" };
  if (url.protocol !== "https:")
    return refuse("not_https", "Cannot take a URL that doesn't begin with https://");
  if (!ports.includes(url.port)) {
    return refuse("port_not_allowed", `Cannot take port ${url.port}: use 443 or 8443`);
  }
  const refused = checkHost(hostOf(url));
  return refused ? { refused } : { url, reach: "public" };
}

/** The host as it is dialled: an IPv6 address without its brackets. */
export function hostOf(url: Pick<URL, "hostname">): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

/** `URL` has brought every spelling of an IPv4 address into its usual form by now. */
function checkHost(host: string): UrlRefusal | null {
  if (isIP(host) !== 0) {
    if (isWithin("public", host)) return null;
    return { code: "blocked_address", message: `Cannot take the address "${host}": it isn't public` };
  }
  const labels = host.split(".");
  if (labels.length < 2 || labels.includes("") || localNames.test(host)) {
    return {
      code: "host_not_public",
      message: `Cannot take the host "${host}": give a public name, as example.com, without a dot at its end`,
    };
  }
  return null;
}

function isLoopback(url: URL): boolean {
  const isWeb = url.protocol === "http:" || url.protocol === "https:";
  return isWeb && (url.hostname === "localhost" || isWithin("loopback", hostOf(url)));
}

function refuse(code: UrlRefusalCode, message: string): { refused: UrlRefusal } {
  return { refused: { code, message } };
}
