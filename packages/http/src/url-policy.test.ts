import { describe, expect, it } from "vitest";
import { checkUrl } from "./url-policy.ts";

const codeFor = (url: string, allowLoopback = false) => {
  const checked = checkUrl(url, { allowLoopback });
  return "refused" in checked ? checked.refused.code : checked.reach;
};

describe("a URL", () => {
  it.each([
    "https://example.com",
    "https://hooks.example.com/a/b?c=d@e",
    "https://example.com:443/",
    "https://example.com:8443/",
    "HTTPS://EXAMPLE.COM/",
    "https://bücher.example/",
    "https://1.1.1.1/",
    "https://[2606:4700::1111]/",
  ])("is taken: %s", (url) => expect(codeFor(url)).toBe("public"));

  it.each([
    ["https://example.com/a b", "malformed"],
    ["https://example.com/a\nb", "malformed"],
    ["\thttps://example.com/", "malformed"],
    ["https://example.com\\@127.0.0.1/", "malformed"],
    ["https://example.com/\u200b", "malformed"],
    ["https://example.com/\u0000", "malformed"],
    ["example.com", "malformed"],
    ["https:example.com", "malformed"],
    ["https:///example.com", "malformed"],
    ["//example.com", "malformed"],
    ["https://", "malformed"],
    ["https://a.b.c.1.2.3.4.5/", "malformed"],
    ["", "malformed"],
    ["http://example.com/", "not_https"],
    ["ftp://example.com/", "not_https"],
    ["file://example.com/etc/passwd", "not_https"],
    ["https://user:pass@example.com/", "has_credentials"],
    ["https://@example.com/", "has_credentials"],
    ["https://example.com@127.0.0.1/", "has_credentials"],
    ["https://example.com/#", "has_fragment"],
    ["https://127.0.0.1#@example.com/", "has_fragment"],
    ["https://example.com:80/", "port_not_allowed"],
    ["https://example.com:9001/", "port_not_allowed"],
    ["https://localhost/", "host_not_public"],
    ["https://intranet/", "host_not_public"],
    ["https://printer.local/", "host_not_public"],
    ["https://LOCAL.LocalHost/", "host_not_public"],
    ["https://ip-10-0-0-1.ec2.internal/", "host_not_public"],
    ["https://router.home.arpa/", "host_not_public"],
    ["https://example.com./", "host_not_public"],
    ["https://example..com/", "host_not_public"],
  ])("is refused: %j is %s", (url, code) => expect(codeFor(url)).toBe(code));

  it.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "127.0.0.1.",
    "169.254.169.254",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fd00:ec2::254]",
  ])("is refused for an address that isn't public, however it is spelled: %s", (host) => {
    expect(codeFor(`https://${host}/`)).toBe("blocked_address");
  });

  it("may have 2,048 characters and no more", () => {
    const url = "https://example.com/".padEnd(2_048, "a");
    expect(codeFor(url)).toBe("public");
    expect(codeFor(`${url}a`)).toBe("too_long");
  });

  it("is refused in words that say what to change", () => {
    expect(checkUrl("https://example.com:9001/", { allowLoopback: false })).toEqual({
      refused: { code: "port_not_allowed", message: "Cannot take port 9001: use 443 or 8443" },
    });
  });
});

describe("where loopback is allowed", () => {
  it.each(["http://localhost:3000/hook", "https://localhost/", "http://127.0.0.1:1/", "http://[::1]:3000/"])(
    "%s is taken, and kept to loopback",
    (url) => expect(codeFor(url, true)).toBe("loopback"),
  );

  it.each([
    ["http://example.com/", "not_https"],
    ["ftp://localhost/", "not_https"],
    ["https://example.com:3000/", "port_not_allowed"],
    ["https://10.0.0.1/", "blocked_address"],
    ["https://0.0.0.0/", "blocked_address"],
    ["https://169.254.169.254/", "blocked_address"],
    ["https://[::ffff:127.0.0.1]/", "blocked_address"],
    ["https://a.localhost/", "host_not_public"],
    ["http://user@localhost/", "has_credentials"],
  ])("%s is still refused: %s", (url, code) => expect(codeFor(url, true)).toBe(code));
});
