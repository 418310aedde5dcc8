import type { Change } from "./mutate.ts";

export type Mutant = {
  readonly name: string;
  /** What it takes away. */
  readonly guard: string;
  readonly changes: readonly Change[];
  /**
   * What gives it away: requests or connections that arrive where they mustn't, or that a case ends otherwise.
   * `nothing`: another guard stands before it; then the two together have a mutant, too.
   */
  readonly shows: "requests" | "connections" | "outcomes" | "nothing";
};

const noPolicy: Change = {
  file: "exchange.ts",
  find: "const target = checkUrl(request.url, { allowLoopback });",
  replace:
    'void checkUrl; void allowLoopback; const target = { url: new URL(request.url), reach: "public" };',
};
const noLiteralCheck: Change = {
  file: "vetted-addresses.ts",
  find: "const outside = addresses.find(",
  replace: "const outside = isIP(host) !== 0 ? undefined : addresses.find(",
};
const noNameCheck: Change = {
  file: "vetted-addresses.ts",
  find: "const outside = addresses.find(",
  replace: "const outside = isIP(host) === 0 ? undefined : addresses.find(",
};
const noPeerCheck: Change = {
  file: "guarded-connector.ts",
  find: "if (!isWithin(reach, peer)) {",
  replace: "if (false) {",
};

/** Without any guard: how much of the table gets through then tells what it is worth. */
export const unguarded: readonly Change[] = [
  noPolicy,
  { ...noNameCheck, replace: "const outside = [].find(" },
  noPeerCheck,
];

export const mutants: readonly Mutant[] = [
  { name: "no-policy", guard: "URLs obey the policy when requested", changes: [noPolicy], shows: "requests" },
  {
    name: "no-literal-check",
    guard: "an address in a URL is checked where it is dialled; the policy has refused it before",
    changes: [noLiteralCheck],
    shows: "nothing",
  },
  {
    name: "no-policy+no-literal-check",
    guard: "an address in a URL is never dialled",
    changes: [noPolicy, noLiteralCheck],
    shows: "connections",
  },
  {
    name: "no-name-check",
    guard: "what a name resolves to is never dialled",
    changes: [noNameCheck],
    shows: "connections",
  },
  {
    name: "no-name-check+no-peer-check",
    guard: "what a name resolves to never gets a request",
    changes: [noNameCheck, noPeerCheck],
    shows: "requests",
  },
  {
    name: "no-peer-check",
    guard: "whom a connection leads to is checked",
    changes: [noPeerCheck],
    shows: "requests",
  },
  {
    name: "filter",
    guard: "one bad address refuses the whole answer",
    changes: [
      {
        file: "vetted-addresses.ts",
        find: "const addresses = await addressesOf(host, reach, resolve);",
        replace:
          "const addresses = (await addressesOf(host, reach, resolve)).filter(({ address }) => isWithin(reach, address));",
      },
    ],
    shows: "outcomes",
  },
  {
    name: "first-only",
    guard: "every address of an answer is checked",
    changes: [
      {
        file: "vetted-addresses.ts",
        find: "const outside = addresses.find(",
        replace: "const outside = addresses.slice(0, 1).find(",
      },
    ],
    shows: "outcomes",
  },
  {
    name: "second-look-up",
    guard: "what is dialled is what was checked",
    changes: [
      {
        file: "guarded-connector.ts",
        find: "dial({ host, addresses, port }, signal)",
        replace:
          'dial({ host, addresses: host.endsWith(".org") ? await resolve(host) : addresses, port }, signal)',
      },
    ],
    shows: "connections",
  },
  {
    name: "any-ipv6",
    guard: "only 2000::/3 is public",
    changes: [
      { file: "address.ts", find: "!parsed.match(globalUnicast)", replace: "globalUnicast === null" },
    ],
    shows: "requests",
  },
  {
    name: "any-range",
    guard: "ranges with a purpose aren't public",
    changes: [{ file: "address.ts", find: 'return parsed.range() === "unicast";', replace: "return true;" }],
    shows: "requests",
  },
  {
    name: "redirects",
    guard: "redirects aren't followed; if they were, their connections would be guarded",
    changes: [
      {
        file: "exchange.ts",
        find: "import { Client, errors,",
        replace: "import { Agent, interceptors, errors,",
      },
      { file: "exchange.ts", find: "new Client(target.url.origin, {", replace: "new Agent({" },
      {
        file: "exchange.ts",
        find: "dispatcher: client,",
        replace: "dispatcher: client.compose(interceptors.redirect({ maxRedirections: 5 })),",
      },
    ],
    shows: "outcomes",
  },
  {
    name: "loopback-always",
    guard: "loopback is allowed where it is asked for alone",
    changes: [
      {
        file: "url-policy.ts",
        find: "if (allowLoopback && isLoopback(url))",
        replace: "if (isLoopback(url))",
      },
    ],
    shows: "requests",
  },
  {
    name: "loopback-everywhere",
    guard: "allowing loopback allows no name to lead there",
    changes: [
      {
        file: "url-policy.ts",
        find: 'return refused ? { refused } : { url, reach: "public" };',
        replace: 'return refused ? { refused } : { url, reach: allowLoopback ? "loopback" : "public" };',
      },
    ],
    shows: "outcomes",
  },
  {
    name: "any-port",
    guard: "only two ports are taken",
    changes: [{ file: "url-policy.ts", find: "if (!ports.includes(url.port)) {", replace: "if (false) {" }],
    shows: "requests",
  },
  {
    name: "any-scheme",
    guard: "only HTTPS is taken",
    changes: [{ file: "url-policy.ts", find: 'if (url.protocol !== "https:")', replace: "if (false)" }],
    shows: "requests",
  },
  {
    name: "any-certificate",
    guard: "a server proves to be the host",
    changes: [{ file: "dial.ts", find: "rejectUnauthorized: true,", replace: "rejectUnauthorized: false," }],
    shows: "outcomes",
  },
];
