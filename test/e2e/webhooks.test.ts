import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { payloadSchemas } from "@plantain/functions/deliver/payload-schema";
import type { System } from "@plantain/local/system";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import type { Client } from "./client.ts";
import { startTestSystem } from "./system.ts";

vi.setConfig({ testTimeout: 60_000 });

let system: System;
let client: Client;
let lines: readonly string[];
beforeAll(async () => {
  ({ system, client, lines } = await startTestSystem({ allowLoopbackWebhooks: true }));
}, 60_000);
afterAll(() => system.stop());

type Got = { headers: IncomingHttpHeaders; body: string; at: number };

/** A receiver on this machine that answers as it is told, and with 200 after that. */
async function receiver(...statuses: (number | "hang")[]) {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), at: Date.now() });
      const status = statuses.shift() ?? 200;
      if (status !== "hang") response.writeHead(status, { location: "/elsewhere" }).end("as told");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    got,
    async until(count: number, withinMs = 30_000) {
      for (const end = Date.now() + withinMs; got.length < count; await sleep(20))
        if (Date.now() > end)
          throw new Error(`Only ${got.length} of ${count} arrived: ${lines.slice(-20).join("\n")}`);
      return got;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const Endpoint = z.looseObject({ id: z.string(), secret: z.string().optional(), enabled: z.boolean() });
const register = async (body: object) => {
  const response = await client.call("POST", "/v1/endpoints", body);
  expect(response.status, await response.clone().text()).toBe(201);
  return Endpoint.parse(await response.json());
};
const remove = (id: string) => client.call("DELETE", `/v1/endpoints/${id}`);
const deliveriesOf = async (query: string) =>
  z
    .looseObject({
      data: z.array(z.looseObject({ id: z.string(), status: z.string(), try_count: z.number() })),
    })
    .parse(await (await client.call("GET", `/v1/deliveries?${query}`)).json()).data;
const headersOf = ({ headers }: Got) => ({
  "webhook-id": String(headers["webhook-id"]),
  "webhook-timestamp": String(headers["webhook-timestamp"]),
  "webhook-signature": String(headers["webhook-signature"]),
});

describe("webhooks", () => {
  it("tell of a success, a failure and a cancellation, verified and as their schemas say", async () => {
    await using endpoint = await receiver();
    const { id, secret = "" } = await register({ url: endpoint.url });
    const done = await client.submit({ prompt: "A banana" });
    const refused = await client.submit({ prompt: "A banana [[sim:IMAGE_SAFETY]]" });
    const canceled = await client.submit({ prompt: "A banana", deadline_seconds: 60 });
    await client.cancel(canceled.id);
    await Promise.all([client.end(done.id), client.end(refused.id)]);
    for (const got of await endpoint.until(3)) {
      const body = new Webhook(secret).verify(got.body, headersOf(got));
      const { type } = z.looseObject({ type: z.string() }).parse(body);
      expect(payloadSchemas.get(type)?.parse(body)).toEqual(body);
      expect(got.headers["webhook-signature"]).toMatch(/^v1,\S+ v1a,\S+$/);
    }
    const told = new Set(endpoint.got.map(({ body }) => JSON.parse(body).data.id));
    expect(told).toEqual(new Set([done.id, refused.id, canceled.id]));
    const success = endpoint.got.find(({ body }) => body.includes(done.id));
    const [image] = JSON.parse(success?.body ?? "").data.images;
    expect(image.url).toBe(`${system.url}/v1/jobs/${done.id}/images/0`);
    const redirect = await client.call("GET", new URL(image.url).pathname);
    expect(redirect.status).toBe(302);
    await remove(id);
  });

  it("come again after a failure, under the same id, and the log tells each try", async () => {
    await using endpoint = await receiver(500, 302);
    const job = await client.submit({ prompt: "A banana", webhook: { url: endpoint.url } });
    await client.end(job.id);
    const got = await endpoint.until(2);
    expect(new Set(got.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    const [first, second] = got.map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(3_900);
    await sleep(500);
    const [delivery] = await deliveriesOf(`job=${job.id}`);
    expect(delivery).toMatchObject({ status: "pending", try_count: 2, endpoint: null });
    const shown = await (await client.call("GET", `/v1/deliveries/${delivery?.id}`)).json();
    expect(shown).toMatchObject({
      tries: [
        { status: 500, error: "server_error", answer: { text: "as told" } },
        { status: 302, error: "redirected" },
      ],
    });
    await client.call("POST", `/v1/deliveries/${delivery?.id}/redeliver`);
    await endpoint.until(3);
  });

  it("reach a healthy endpoint while another hangs, which is then tried in the slow lane", async () => {
    await using hanging = await receiver("hang", 200);
    await using healthy = await receiver();
    const ids = [await register({ url: hanging.url }), await register({ url: healthy.url })];
    const job = await client.submit({ prompt: "A banana" });
    await client.end(job.id);
    await healthy.until(1);
    expect(hanging.got.length).toBeLessThan(2);
    await hanging.until(2);
    await sleep(300);
    const deliveries = await deliveriesOf(`job=${job.id}&status=delivered`);
    expect(new Set(deliveries.map(({ try_count: tries }) => tries))).toEqual(new Set([1, 2]));
    for (const { id } of ids) await remove(id);
  });

  it("come again, under the same id, when the function that delivers them dies in the middle", async () => {
    await using endpoint = await receiver("hang");
    const job = await client.submit({ prompt: "A banana", webhook: { url: endpoint.url } });
    await client.end(job.id);
    await endpoint.until(1);
    expect(await system.killFunction("deliver")).toBe(true);
    const got = await endpoint.until(2, 50_000);
    expect(new Set(got.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    // Its lease is what keeps others off
    expect((got[1]?.at ?? 0) - (got[0]?.at ?? 0)).toBeGreaterThan(25_000);
    await sleep(300);
    expect(await deliveriesOf(`job=${job.id}`)).toMatchObject([{ status: "delivered", try_count: 2 }]);
  });

  it("disable an endpoint that answers 410, and tell another that wants to know", async () => {
    await using gone = await receiver(410);
    await using watching = await receiver();
    const { id } = await register({ url: gone.url });
    const watcher = await register({ url: watching.url, events: ["endpoint.disabled"] });
    await client.call("POST", `/v1/endpoints/${id}/ping`);
    const [told] = await watching.until(1);
    expect(JSON.parse(told?.body ?? "")).toMatchObject({
      type: "endpoint.disabled",
      data: { id, disabled_reason: "gone" },
    });
    const shown = Endpoint.parse(await (await client.call("GET", `/v1/endpoints/${id}`)).json());
    expect(shown.enabled).toBe(false);
    for (const each of [id, watcher.id]) await remove(each);
  });

  it("arrive in the local inbox, which verifies them", async () => {
    const { id } = await register({ url: `${system.url}/__dev/webhooks` });
    await client.call("POST", `/v1/endpoints/${id}/ping`);
    const Inbox = z.object({
      webhooks: z.array(z.looseObject({ verified: z.boolean(), body: z.unknown() })),
    });
    const list = async () => Inbox.parse(await (await fetch(`${system.url}/__dev/webhooks`)).json()).webhooks;
    for (const end = Date.now() + 20_000; (await list()).length === 0 && Date.now() < end; await sleep(50));
    expect(await list()).toMatchObject([{ verified: true, body: { type: "ping", data: { endpoint: id } } }]);
    await remove(id);
  });

  it("leave no trace of secrets and URLs in the logs", () => {
    const log = lines.join("\n");
    expect(log).toContain("Delivery tried");
    expect(log).not.toMatch(/whsec_|whsk_|\/hook|webhook-signature/);
  });
});
