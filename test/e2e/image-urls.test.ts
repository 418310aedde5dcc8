import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256Hex } from "@plantain/core/hash";
import type { System } from "@plantain/local/system";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Client, ledgerAt } from "./client.ts";
import { startTestSystem } from "./system.ts";

vi.setConfig({ testTimeout: 60_000 });

let system: System;
let client: Client;
let lines: readonly string[];
beforeAll(async () => {
  ({ system, client, lines } = await startTestSystem({ allowLoopbackWebhooks: true }));
}, 60_000);
afterAll(() => system.stop());

/** A server of pictures on this machine: each request gets the next answer, the last one all that follow. */
async function pictures(...answers: readonly (number | Uint8Array)[]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.url));
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (typeof answer === "number") response.writeHead(answer, { location: "/elsewhere" }).end();
    else response.end(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/cat.png?token=secret`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A picture that Gemini can read. */
async function drawn(prompt: string): Promise<Buffer> {
  const { id } = await client.submit({ prompt, model: "gemini-3.1-flash-image", image_size: "512" });
  const [image] = (await client.end(id)).images;
  return Buffer.from(await (await fetch(image?.url ?? "")).arrayBuffer());
}

describe("a reference image by URL", () => {
  it("is fetched once, and is the same picture for every attempt, whatever its server has by then", async () => {
    const [cat, dog] = await Promise.all([drawn("A cat"), drawn("A dog")]);
    await using server = await pictures(cat, dog);
    const prompt = "A banana for the cat [[sim:UNAVAILABLE*1]]";
    const { id } = await client.submit({ prompt, images: [{ url: server.url }] });
    const job = await client.end(id);
    expect(job).toMatchObject({
      status: "succeeded",
      attempts: 2,
      reference_images: [{ url: server.url, bytes: cat.length, sha256: sha256Hex(cat) }],
    });
    expect(server.asked).toHaveLength(1);
    const { calls } = await ledgerAt(system.gemini.url);
    const ofJob = calls.filter((call) => JSON.stringify(call).includes("A banana for the cat"));
    expect(ofJob).toMatchObject([{ inputImages: 1 }, { inputImages: 1, billed: true }]);

    const next = await client.submit({ prompt: "And now a dog", continue_from: id });
    expect(await client.end(next.id)).toMatchObject({ status: "succeeded", warnings: [] });
    expect(server.asked).toHaveLength(1);
  });

  it("is asked for again where its server is down, and nothing is paid meanwhile", async () => {
    await using server = await pictures(503, await drawn("A cat"));
    const { id } = await client.submit({ prompt: "A patient banana", images: [{ url: server.url }] });
    expect(await client.end(id)).toMatchObject({ status: "succeeded", attempts: 2 });
    const attempts = await (await client.call("GET", `/v1/jobs/${id}/attempts`)).json();
    expect(attempts).toMatchObject({
      data: [
        { outcome: "retried", failure: { code: "input_fetch_failed" }, calls: [] },
        { outcome: "succeeded" },
      ],
    });
  });

  it.each([
    ["that is gone", 404, "its server answered with status 404"],
    ["that has moved", 302, "its URL redirects (302); give the address that it leads to"],
    [
      "that is a page",
      Buffer.from("<!doctype html>"),
      "by its bytes it is none of PNG, JPEG, WebP, HEIC and HEIF",
    ],
    ["that is endless", Buffer.alloc(20_000_001), "Cannot take a file of more than 20000000 bytes"],
  ])("%s fails the job, which says why and costs nothing", async (_name, answer, reason) => {
    await using server = await pictures(answer);
    const { id } = await client.submit({ prompt: "A banana in vain", images: [{ url: server.url }] });
    const { status, error, cost } = await client.end(id);
    expect({ status, error, cost }).toMatchObject({
      status: "failed",
      error: { message: `Cannot use image 0: ${reason}`, billed: false },
      cost: { usd: "0.000000", final: true },
    });
    expect(server.asked).toEqual(["/cat.png?token=secret"]);
  });

  it("leaves no trace of its URL in a log", () => {
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.join("\n")).not.toMatch(/cat\.png|secret/);
  });
});
