import { lookup } from "node:dns/promises";
import { describe, expect, it } from "vitest";
import { httpClient } from "./client.ts";
import { certificateAuthority } from "./fixtures/certificate.ts";
import { internet, listen, nameServer } from "./fixtures/servers.ts";
import { caresResolver } from "./resolver.ts";

describe("the addresses of a name", () => {
  it("are those of both kinds", async () => {
    const { address } = await nameServer((_, type) =>
      type === "A" ? ["1.1.1.1", "1.0.0.1"] : ["2606:4700::1111"],
    );
    expect(await caresResolver([address])("example.com")).toEqual([
      { address: "1.1.1.1", family: 4 },
      { address: "1.0.0.1", family: 4 },
      { address: "2606:4700::1111", family: 6 },
    ]);
  });

  it("are enough of one kind, though the other one fails", async () => {
    const { address } = await nameServer((_, type) => (type === "A" ? ["1.1.1.1"] : "failure"));
    expect(await caresResolver([address])("example.com")).toEqual([{ address: "1.1.1.1", family: 4 }]);
  });

  it.each([
    ["no_such_name", 'Cannot find "example.com": there is no such name'],
    [[], 'Cannot find "example.com": the name has no address'],
    ["failure", 'Cannot find "example.com": its name servers fail (ESERVFAIL)'],
  ] as const)("are none: %j", async (said, message) => {
    const { address } = await nameServer(() => said);
    await expect(caresResolver([address])("example.com")).rejects.toMatchObject({
      code: "dns_failed",
      message,
    });
  });
});

describe("a name whose servers are dead", () => {
  it("fails by itself within seconds and holds up nobody else, even if there are twenty", async () => {
    const { address } = await nameServer((name, type) =>
      name.startsWith("dead") ? "silence" : type === "A" ? ["1.1.1.1"] : [],
    );
    const { ca, issue } = certificateAuthority();
    const port = await listen((_, response) => response.end(), issue("alive.example.com"));
    const client = httpClient({ nameServers: [address], ca, dial: internet(port, "1.1.1.1") });
    const send = (host: string) =>
      client.send({ url: `https://${host}`, headers: {}, body: "", timeoutMs: 10_000 });
    const startedAt = performance.now();
    const dying = Promise.all(Array.from({ length: 20 }, (_, index) => send(`dead${index}.example.com`)));

    expect(await send("alive.example.com")).toMatchObject({ type: "answered" });
    await lookup("localhost"); // by libuv's pool
    expect(performance.now() - startedAt).toBeLessThan(1_000);

    for (const each of await dying) {
      expect(each).toMatchObject({ code: "dns_failed", message: expect.stringContaining("(ETIMEOUT)") });
      expect(each.ms).toBeLessThan(6_000);
    }
  }, 10_000);
});
