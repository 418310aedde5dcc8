import { afterEach, describe, expect, it, vi } from "vitest";
import { RequestError } from "./failure.ts";
import { nameServer } from "./fixtures/servers.ts";
import { caresResolver } from "./resolver.ts";
import { urlChecker } from "./url-checker.ts";

const publicAddress = "93.184.215.14";
const url = "https://example.com/hook";

afterEach(() => {
  vi.useRealTimers();
});

describe("a URL that is checked", () => {
  it("is taken when its name leads to public addresses alone, after one look-up", async () => {
    const { address, asked } = await nameServer((_, type) =>
      type === "A" ? [publicAddress] : ["2606:4700::1111"],
    );
    const check = urlChecker({ resolve: caresResolver([address]), allowLoopback: false });
    expect(await check(url)).toBeNull();
    expect(asked).toEqual(["A example.com", "AAAA example.com"]);
  });

  it.each([
    ["A", [publicAddress, "10.0.0.1"], [], "10.0.0.1"],
    ["A alone", ["127.0.0.1"], [], "127.0.0.1"],
    ["AAAA", [publicAddress], ["2606:4700::1111", "::ffff:10.0.0.1"], "::ffff:10.0.0.1"],
    ["AAAA, that is local", [publicAddress], ["fd00:ec2::254"], "fd00:ec2::254"],
  ])("is refused for one address that isn't public, here in %s", async (_, v4, v6, bad) => {
    const { address } = await nameServer((_, type) => (type === "A" ? v4 : v6));
    for (const allowLoopback of [false, true]) {
      const check = urlChecker({ resolve: caresResolver([address]), allowLoopback });
      expect(await check(url)).toEqual({
        code: "blocked_address",
        message: `Cannot use "example.com": it leads to ${bad}, which isn't public`,
      });
    }
  });

  it.each([
    ["no_such_name", "there is no such name"],
    [[], "the name has no address"],
    ["failure", "its name servers fail (ESERVFAIL)"],
  ] as const)("is refused when its name can't be found: %j", async (said, reason) => {
    const { address } = await nameServer(() => said);
    const check = urlChecker({ resolve: caresResolver([address]), allowLoopback: false });
    expect(await check(url)).toEqual({
      code: "dns_failed",
      message: `Cannot find "example.com": ${reason}; try again when it can be found`,
    });
  });

  it("is refused after 5 s, however many name servers are silent", async () => {
    vi.useFakeTimers();
    const check = urlChecker({ resolve: () => new Promise(() => undefined), allowLoopback: false });
    const checking = check(url);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await checking).toMatchObject({ code: "dns_failed", message: expect.stringContaining("5 s") });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ["http://localhost:3000/hook", true, null],
    ["https://127.0.0.1/", true, null],
    ["https://[::1]/", true, null],
    ["https://1.1.1.1/", false, null],
    ["https://10.0.0.1/", false, "blocked_address"],
    ["http://example.com/", false, "not_https"],
    ["https://printer.local/", false, "host_not_public"],
  ] as const)("needs no name servers where none can say anything: %s", async (text, allowLoopback, code) => {
    const resolve = async () => {
      throw new RequestError("dns_failed", "Looked up");
    };
    expect((await urlChecker({ resolve, allowLoopback })(text))?.code ?? null).toBe(code);
  });

  it("leaves what nobody expected to its caller", async () => {
    const resolve = async () => {
      throw new Error("A bug");
    };
    await expect(urlChecker({ resolve, allowLoopback: false })(url)).rejects.toThrow("A bug");
  });
});
