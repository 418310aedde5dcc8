import { describe, expect, it } from "vitest";
import { httpClient } from "./client.ts";
import { certificateAuthority } from "./fixtures/certificate.ts";
import { internet, listen, listenTcp, nameServer } from "./fixtures/servers.ts";
import { caresResolver } from "./resolver.ts";
import { urlChecker } from "./url-checker.ts";

const publicAddress = "93.184.215.14";
const post = { headers: {}, body: "{}", timeoutMs: 5_000 };
const { ca, issue } = certificateAuthority();

describe("a connection to a public name", () => {
  it("stands when all its addresses are public, and the server proves to be it", async () => {
    const { address } = await nameServer((_, type) => (type === "A" ? [publicAddress] : ["2606:4700::1111"]));
    const port = await listen((_, response) => response.writeHead(204).end(), issue("example.com"));
    const client = httpClient({ nameServers: [address], ca, dial: internet(port, publicAddress) });
    expect(await client.send({ ...post, url: "https://example.com/hook" })).toMatchObject({
      type: "answered",
      status: 204,
    });
  });

  it.each([
    ["A", [publicAddress, "10.0.0.1"], []],
    ["A alone", ["127.0.0.1"], []],
    ["AAAA", [publicAddress], ["2606:4700::1111", "::ffff:10.0.0.1"]],
    ["AAAA, that is local", [publicAddress], ["fd00:ec2::254"]],
  ])("is refused as a whole for one address that isn't public, here in %s", async (_, v4, v6) => {
    const { address } = await nameServer((_, type) => (type === "A" ? v4 : v6));
    let dialled = 0;
    const client = httpClient({
      nameServers: [address],
      dial: async () => {
        dialled += 1;
        throw new Error("Dialled");
      },
    });
    expect(await client.send({ ...post, url: "https://example.com" })).toMatchObject({
      code: "blocked_address",
    });
    expect(dialled).toBe(0);
  });

  it("is refused when the name has changed its mind since it was registered", async () => {
    let asked = 0;
    const { address } = await nameServer((_, type) => {
      if (type === "AAAA") return [];
      asked += 1;
      return asked <= 2 ? [publicAddress] : ["127.0.0.1"];
    });
    const port = await listen((_, response) => response.end(), issue("example.com"));
    const client = httpClient({ nameServers: [address], ca, dial: internet(port, publicAddress) });
    const url = "https://example.com";
    const check = urlChecker({ resolve: caresResolver([address]), allowLoopback: false });
    expect(await check(url)).toBeNull();
    expect(await client.send({ ...post, url })).toMatchObject({ type: "answered" });
    expect(await client.send({ ...post, url })).toMatchObject({ code: "blocked_address" });
  });

  it("dials the very addresses that were checked, after one look-up", async () => {
    const { address, asked } = await nameServer((_, type) =>
      type === "A" ? [publicAddress, "1.1.1.1"] : [],
    );
    const dialled: unknown[] = [];
    const client = httpClient({
      nameServers: [address],
      dial: async ({ addresses }) => {
        dialled.push(...addresses.map((each) => each.address));
        throw new Error("Enough");
      },
    });
    await expect(client.send({ ...post, url: "https://example.com" })).rejects.toThrow("Enough");
    expect(dialled).toEqual([publicAddress, "1.1.1.1"]);
    expect(asked).toEqual(["A example.com", "AAAA example.com"]);
  });

  it("is closed, with nothing said on it, when it leads elsewhere than was dialled", async () => {
    const { address } = await nameServer((_, type) => (type === "A" ? [publicAddress] : []));
    let received = 0;
    const { promise: isClosed, resolve: close } = Promise.withResolvers<void>();
    const port = await listenTcp((socket) => {
      socket.on("data", ({ length }) => {
        received += length;
      });
      socket.on("close", () => close());
    });
    const client = httpClient({ nameServers: [address], dial: internet(port) });
    expect(await client.send({ ...post, url: "https://example.com" })).toMatchObject({
      type: "failed",
      code: "blocked_address",
      message: `Cannot use "example.com": it leads to 127.0.0.1, which isn't public`,
    });
    await isClosed;
    expect(received).toBe(0);
  });

  it("stays refused where loopback is allowed", async () => {
    const { address } = await nameServer((_, type) => (type === "A" ? ["127.0.0.1"] : ["::1"]));
    const client = httpClient({ nameServers: [address], allowLoopback: true });
    expect(await client.send({ ...post, url: "https://example.com" })).toMatchObject({
      code: "blocked_address",
    });
  });

  it.each([
    ["another name", issue("other.example.com"), ca],
    ["an address", issue(publicAddress), ca],
    ["the name by an authority that isn't trusted", issue("example.com"), undefined],
  ])("is refused when the certificate is for %s", async (_, certificate, authority) => {
    const { address } = await nameServer((_, type) => (type === "A" ? [publicAddress] : []));
    let requests = 0;
    const port = await listen(() => {
      requests += 1;
    }, certificate);
    const client = httpClient({
      nameServers: [address],
      dial: internet(port, publicAddress),
      ...(authority === undefined ? {} : { ca: authority }),
    });
    expect(await client.send({ ...post, url: "https://example.com" })).toMatchObject({ code: "tls_failed" });
    expect(requests).toBe(0);
  });
});

describe("a name that can't be found", () => {
  it("is told", async () => {
    const { address } = await nameServer(() => "no_such_name");
    const client = httpClient({ nameServers: [address] });
    expect(await client.send({ ...post, url: "https://example.com" })).toMatchObject({
      code: "dns_failed",
      message: 'Cannot find "example.com": there is no such name',
    });
  });
});
