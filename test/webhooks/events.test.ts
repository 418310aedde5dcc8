import { verifyWebhook } from "@plantain/client/webhook";
import type { JobEventType, WebhookEvent } from "@plantain/core/webhook/event";
import { jobEventId, newEventId, webhookId } from "@plantain/core/webhook/ids";
import { newSecret, newSigningKey, publicKeyOf, signedHeaders } from "@plantain/core/webhook/signature";
import { payload } from "@plantain/functions/deliver/payload";
import { expandedAttempt, sampleRecord } from "@plantain/functions/deliver/payload.fixture";
import { payloadSchemas } from "@plantain/functions/deliver/payload-schema";
import { describe, expect, it } from "vitest";
import { takenBy, verifiers } from "./verifiers.ts";

/*
 * What is really sent: every type of event, whole and cut.
 */

const apiUrl = "https://api.example.com";
const at = Date.UTC(2026, 10, 1);
const endpoint = "ep_01m82v7m00fzzvzzzzzzzzzzzz";
const about = { id: newEventId(at, new Uint8Array(10)), tenant: "acme", at, endpoint } as const;

const jobBody = (record: ReturnType<typeof sampleRecord>) => {
  const { id, tenant, status } = record.job;
  const type: JobEventType = `job.${status === "failed" || status === "canceled" ? status : "succeeded"}`;
  return payload({ id: jobEventId(id), type, tenant, at, jobId: id }, record, apiUrl);
};
const otherBody = (event: WebhookEvent) => payload(event, null, apiUrl);

const bodies = {
  "job.succeeded": await jobBody(sampleRecord("succeeded")),
  "job.succeeded, with much in it": await jobBody(expandedAttempt("A leaf", "Here you are", 3)),
  "job.succeeded, with so much in it that it is cut": await jobBody(
    expandedAttempt("🦩".repeat(8_000), "§".repeat(40_000), 100),
  ),
  "job.failed": await jobBody(sampleRecord("failed")),
  "job.canceled": await jobBody(sampleRecord("canceled")),
  "endpoint.disabled": await otherBody({
    ...about,
    type: "endpoint.disabled",
    reason: "failing",
    failingSince: at,
  }),
  "endpoint.disabled, by its owner": await otherBody({
    ...about,
    type: "endpoint.disabled",
    reason: "owner",
    failingSince: null,
  }),
  ping: await otherBody({ ...about, type: "ping" }),
};

const secret = newSecret(new Uint8Array(32).fill(1));
const signingKey = newSigningKey(new Uint8Array(32).fill(2));

describe.each(Object.entries(bodies))("%s", (name, body) => {
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const id = webhookId(about.id, endpoint);
  const headers = signedHeaders({ id, timestampSeconds, body, secrets: [secret], signingKeys: [signingKey] });

  it("is taken by everybody", async () => {
    expect(await takenBy({ body, headers, secret })).toEqual(Object.keys(verifiers));
  });

  it("comes out of the client as it went in, by secret and by public key", () => {
    const [type] = name.split(",");
    const sent: unknown = JSON.parse(body);
    for (const key of [secret, publicKeyOf(signingKey)]) {
      const event = verifyWebhook(body, headers, key);
      expect(event.type).toBe(type);
      expect({ ...event }).toEqual({ ...Object(sent), id });
    }
  });
});

describe("the published schema", () => {
  it.each([
    ["job.failed", ["error"]],
    ["job.succeeded", ["cost"]],
    ["job.succeeded", ["usage"]],
    ["job.succeeded", ["images", "0"]],
  ] as const)("of %s lets the same be null in %s as the client does", (type, path) => {
    const fields = Object.keys(path.reduce(fieldOf, JSON.parse(bodies[type]).data));
    expect(fields.length).toBeGreaterThan(1);
    for (const field of fields) {
      const sent = JSON.parse(bodies[type]);
      path.reduce(fieldOf, sent.data)[field] = null;
      const isTaken = payloadSchemas.get(type)?.safeParse(sent).success;
      expect(isTaken, field).toBe(isRead(JSON.stringify(sent)));
    }
  });
});

function fieldOf(value: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object(value[name]);
}

/** Whether the client takes a body, as true as any other. */
function isRead(body: string): boolean {
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const id = webhookId(about.id, endpoint);
  const headers = signedHeaders({ id, timestampSeconds, body, secrets: [secret], signingKeys: [] });
  try {
    verifyWebhook(body, headers, secret);
    return true;
  } catch {
    return false;
  }
}
