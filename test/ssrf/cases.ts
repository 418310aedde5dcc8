import type { RequestFailureCode } from "@plantain/http/failure";

/** What came of a request. */
export type Outcome = RequestFailureCode | "too_large" | `answered ${number}` | "threw";

export type Case = {
  /** What cases like it are about. */
  readonly kind: string;
  readonly url: string;
  /** What its name resolves to, one time after the other; the last for ever. */
  readonly resolves: readonly (readonly string[])[];
  /** `loopback`: one that allows it. `deceived`: one whose connections lead to 10.0.0.1, whatever was dialled. */
  readonly client: "strict" | "loopback" | "deceived";
  readonly method: "send" | "download";
  /** What has to come of it, one request after the other. */
  readonly outcomes: readonly Outcome[];
};

/** The only addresses that requests may reach, and only on the ports 443 and 8443. */
export const publicAddresses = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"] as const;
const [v4, v6] = publicAddresses;

/** Has no certificate. */
export const impostor = "impostor.example.org";

const refused: readonly Outcome[] = ["invalid_url"];
const blocked: readonly Outcome[] = ["blocked_address"];
const answered: readonly Outcome[] = ["answered 204"];

type About = Partial<Pick<Case, "resolves" | "client" | "method">>;
let names = 0;

function at(kind: string, url: string, outcomes: readonly Outcome[], about: About = {}): Case {
  return { kind, url, outcomes, resolves: [], client: "strict", method: "send", ...about };
}

/** A name of its own that resolves to these, one time after the other. */
function named(
  kind: string,
  resolves: Case["resolves"],
  outcomes: readonly Outcome[],
  about: About = {},
): Case {
  names += 1;
  return at(kind, `https://n${names}.example.org/`, outcomes, { ...about, resolves });
}

function literals(kind: string, hosts: readonly string[], outcomes = blocked, about: About = {}): Case[] {
  return hosts.map((host) => at(kind, `https://${host}/`, outcomes, about));
}

function redirect(status: number, location: string, about: About = {}): Case {
  names += 1;
  const to = encodeURIComponent(location);
  const url = `https://n${names}.example.org/redirect?status=${status}&to=${to}`;
  return at("redirects", url, [`answered ${status}`], { resolves: [[v4]], ...about });
}

/** Leads inside, and is where servers send us. */
export const inside = "inside.example.org";

export const evil: readonly Case[] = [
  ...literals("IPv4 in every spelling", [
    ...["127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7F.0.0.1", "0x7f.1", "0177.0.0.1"],
    ...[
      "017700000001",
      "0177.0x0.1",
      "0",
      "0.0.0.0",
      "127.0.0.1.",
      "①②⑦.⓪.⓪.①",
      "１２７.0.0.1",
      "127。0。0。1",
    ],
    ...["%31%32%37.0.0.1", "%31%37%32.16.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "127.255.255.254"],
  ]),
  ...literals("IPv6 loopback and mapped", [
    ...["[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]"],
  ]),
  ...literals("IPv6 that embeds or is local", [
    ...[
      "[::127.0.0.1]",
      "[::ffff:0:127.0.0.1]",
      "[64:ff9b::7f00:1]",
      "[64:ff9b:1::7f00:1]",
      "[2002:7f00:1::1]",
    ],
    ...[
      "[2001:0:7f00:1::1]",
      "[fc00::1]",
      "[fd00:ec2::254]",
      "[fec0::1]",
      "[4000::1]",
      "[2001:db8::1]",
      "[3fff::1]",
    ],
  ]),
  ...literals("metadata and credentials", [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.169.253",
  ]),
  at("metadata and credentials", "http://169.254.169.254/latest/meta-data/", refused),
  at("metadata and credentials", "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", refused),
  at("metadata and credentials", "https://169.254.100.1:9001/", refused),
  at("metadata and credentials", "https://metadata.google.internal/", refused, {
    resolves: [["169.254.169.254"]],
  }),
  ...literals("ranges with a purpose", [
    ...[
      "100.64.0.1",
      "100.100.100.200",
      "192.0.0.192",
      "198.18.0.1",
      "192.0.2.1",
      "198.51.100.1",
      "203.0.113.1",
    ],
    ...["240.0.0.1"],
  ]),
  at("policy", `https://user:password@${v4}/`, refused),
  at("policy", "https://example.org@127.0.0.1/", refused),
  at("policy", "https://example.org\\@127.0.0.1/", refused),
  at("policy", "https://127.0.0.1#@example.org/", refused),
  at("policy", `https://${v4}/#fragment`, refused),
  at("policy", `https://${v4}:9001/`, refused),
  at("policy", `https://${v4}:6379/`, refused),
  at("policy", `http://${v4}/`, refused),
  at("policy", "https://localhost/", refused, { resolves: [["127.0.0.1"]] }),
  at("policy", "https://box.localhost/", refused, { resolves: [["127.0.0.1"]] }),
  at("policy", "https://printer.local/", refused, { resolves: [[v4]] }),
  at("policy", "https://intranet/", refused, { resolves: [[v4]] }),
  ...[
    ...[
      "127.0.0.1",
      "10.0.0.1",
      "169.254.169.254",
      "100.64.0.1",
      "0.0.0.0",
      "240.0.0.1",
      "::1",
      "::ffff:10.0.0.1",
    ],
    ...["64:ff9b::7f00:1", "2002:7f00:1::1", "fd00:ec2::254", "4000::1"],
  ].map((address) => named("names that lead inside", [[address]], blocked)),
  ...[
    [v4, "127.0.0.1"],
    ["10.0.0.1", v4],
    [v4, "fd00:ec2::254"],
    [v6, "127.0.0.1"],
    [v4, v6, "::ffff:7f00:1"],
  ].map((addresses) => named("one bad address among good ones", [addresses], blocked)),
  ...[1, 4, 8].map((good) =>
    named(
      "names that change their mind",
      [...Array.from({ length: good }, () => [v4]), ["127.0.0.1"]],
      [...Array.from({ length: good }, () => answered).flat(), ...blocked],
    ),
  ),
  redirect(301, "https://127.0.0.1/"),
  redirect(302, "http://169.254.169.254/latest/meta-data/"),
  redirect(303, `https://${inside}/`),
  redirect(307, `//${inside}/`),
  redirect(308, "https://2130706433/"),
  redirect(307, "https://[::ffff:127.0.0.1]/"),
  redirect(302, "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next"),
  redirect(302, "https://127.0.0.1/", { method: "download" }),
  ...literals("downloads", ["127.0.0.1", "[::1]", "169.254.169.254"], blocked, { method: "download" }),
  named("downloads", [[v4, "127.0.0.1"]], blocked, { method: "download" }),
  ...literals(
    "where loopback is allowed",
    ["10.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]", "169.254.169.254"],
    blocked,
    {
      client: "loopback",
    },
  ),
  named("where loopback is allowed", [["127.0.0.1"]], blocked, { client: "loopback" }),
  named("where loopback is allowed", [["::1", v4]], blocked, { client: "loopback" }),
  named("connections that lead elsewhere", [[v4]], blocked, { client: "deceived" }),
  at("connections that lead elsewhere", `https://${v4}/`, blocked, { client: "deceived" }),
  at("servers that can't prove to be it", `https://${impostor}/`, ["tls_failed"], { resolves: [[v4]] }),
];

export const good: readonly Case[] = [
  named("good", [[v4]], answered),
  named("good", [[v6]], answered),
  named("good", [[v4, v6]], answered),
  { ...named("good", [[v4]], answered), url: "https://port.example.org:8443/" },
  at("good", `https://${v4}/`, answered),
  at("good", `https://[${v6}]/`, answered),
  at("good", "https://file.example.org/file", ["answered 200"], { resolves: [[v4]], method: "download" }),
];
