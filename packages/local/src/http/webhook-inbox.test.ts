import { newSigner } from "@plantain/core/webhook/endpoint";
import { newSecret, signedHeaders } from "@plantain/core/webhook/signature";
import { seededRandom } from "@plantain/memory/clock";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { sampleEndpoint } from "@plantain/memory/webhook-samples";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { webhookInbox } from "./webhook-inbox.ts";

const random = seededRandom(8);
const tenant = "default";
const body = Buffer.from('{"type":"ping"}');
const path = "/__dev/webhooks";
const Inbox = z.strictObject({
  webhooks: z.array(z.looseObject({ verified: z.boolean(), body: z.unknown() })),
});

async function world() {
  const endpoints = memoryEndpoints(memoryDeliveries());
  const endpoint = sampleEndpoint({ tenant });
  const signer = newSigner(tenant, Date.now(), random);
  await endpoints.create(endpoint);
  await endpoints.writeSigner(null, signer);
  const inbox = webhookInbox(endpoints);
  const post = (secret: string, url = path, sent = body) => {
    const timestampSeconds = Math.floor(Date.now() / 1_000);
    const signing = { id: "msg_1", timestampSeconds, body, secrets: [secret as `whsec_`], signingKeys: [] };
    return inbox.answer({ method: "POST", url, headers: { ...signedHeaders(signing) }, body: sent });
  };
  const list = async () => {
    const answer = await inbox.answer({ method: "GET", url: path, headers: {}, body: Buffer.alloc(0) });
    return Inbox.parse(JSON.parse(answer.body.toString())).webhooks;
  };
  const secretOf = ({ secrets }: typeof signer) => secrets[0]?.secret ?? "";
  return { inbox, post, list, ofEndpoint: secretOf(endpoint), ofSigner: secretOf(signer) };
}

describe("the webhook inbox", () => {
  test("verifies by the secrets of endpoints, of the tenant, and of the address itself", async () => {
    const { post, list, ofEndpoint, ofSigner } = await world();
    const own = newSecret(random.bytes(32));
    await post(ofEndpoint);
    await post(ofSigner);
    await post(own);
    await post(own, `${path}/mine?secret=${encodeURIComponent(own)}`);
    expect(await list()).toMatchObject([
      { verified: true, path: `${path}/mine`, webhook_id: "msg_1" },
      { verified: false },
      { verified: true },
      { verified: true, body: { type: "ping" } },
    ]);
  });

  test("tells what was changed on the way, and what isn't signed at all", async () => {
    const { inbox, post, list, ofEndpoint } = await world();
    await post(ofEndpoint, path, Buffer.from("{}"));
    await inbox.answer({ method: "POST", url: path, headers: {}, body: Buffer.from("no json") });
    expect(await list()).toMatchObject([
      { verified: false, body: "no json", webhook_id: null },
      { verified: false, body: {} },
    ]);
  });

  test("keeps the latest hundred, and forgets them when told to", async () => {
    const { inbox, post, list, ofEndpoint } = await world();
    for (let count = 0; count < 101; count += 1) await post(ofEndpoint);
    expect(await list()).toHaveLength(100);
    await inbox.answer({ method: "DELETE", url: path, headers: {}, body });
    expect(await list()).toEqual([]);
    expect((await inbox.answer({ method: "PUT", url: path, headers: {}, body })).status).toBe(405);
  });
});
