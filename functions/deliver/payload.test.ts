import type { JobEventType, WebhookEvent } from "@plantain/core/webhook/event";
import { jobEventId, newEventId } from "@plantain/core/webhook/ids";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { expandedAttempt, sampleRecord } from "./payload.fixture.ts";
import { mostPayloadBytes, payload } from "./payload.ts";
import { payloadSchemas } from "./payload-schema.ts";

const apiUrl = "https://api.example.com";
const at = Date.UTC(2026, 10, 1);
const Body = z.looseObject({
  type: z.string(),
  timestamp: z.string(),
  data: z.looseObject({ truncated: z.array(z.string()), prompt: z.string(), text: z.string().nullable() }),
});
type Record = ReturnType<typeof sampleRecord>;

const eventOf = ({ job: { id, tenant, status } }: Record): WebhookEvent => ({
  id: jobEventId(id),
  type: `job.${status}` as JobEventType,
  tenant,
  at,
  jobId: id,
});
const told = async (record: Record) => {
  const text = await payload(eventOf(record), record, apiUrl);
  const body = Body.parse(JSON.parse(text));
  expect(payloadSchemas.get(body.type)?.safeParse(body)).toMatchObject({ success: true });
  expect(Buffer.byteLength(text)).toBeLessThan(mostPayloadBytes);
  return { text, body };
};

describe("a payload", () => {
  it("shows a succeeded job as the API does, its images at addresses that don't expire", async () => {
    const record = sampleRecord("succeeded");
    const { body, text } = await told(record);
    const self = `${apiUrl}/v1/jobs/${record.job.id}`;
    expect(body).toMatchObject({
      type: "job.succeeded",
      timestamp: "2026-11-01T00:00:00.000Z",
      data: {
        id: record.job.id,
        status: "succeeded",
        images: [{ url: `${self}/images/0`, url_expires_at: null, links: { self: `${self}/images/0` } }],
        links: { self },
        truncated: [],
      },
    });
    expect(text).not.toContain("whsec_");
  });

  it.each(["failed", "canceled"] as const)("tells of a %s job", async (status) => {
    const { body } = await told(sampleRecord(status));
    expect(body.data).toMatchObject({ status, images: [], truncated: [] });
  });

  it("tells of a ping and of a disabled endpoint", async () => {
    const endpoint = "ep_01m82v7m00fzzvzzzzzzzzzzzz";
    const base = { id: newEventId(at, new Uint8Array(10)), tenant: "acme", at, endpoint } as const;
    const ping = JSON.parse(await payload({ ...base, type: "ping" }, null, apiUrl));
    expect(payloadSchemas.get("ping")?.parse(ping)).toEqual(ping);
    const event = { ...base, type: "endpoint.disabled", reason: "failing", failingSince: at } as const;
    const disabled = JSON.parse(await payload(event, null, apiUrl));
    expect(payloadSchemas.get("endpoint.disabled")?.parse(disabled)).toEqual(disabled);
  });

  it("cuts long texts, and says which", async () => {
    const { body } = await told(expandedAttempt("🦩".repeat(8_000), "§".repeat(40_000), 0));
    expect(body.data.truncated).toEqual(["text", "prompt"]);
    expect(body.data.text).toMatch(/^§{1000}…$/);
    expect(Array.from(body.data.prompt)).toHaveLength(1_001);
  });

  it("stays below 20 KB whatever is in the job", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", maxLength: 8_000, size: "max" }),
        fc.string({ unit: "grapheme", maxLength: 20_000, size: "max" }),
        fc.integer({ min: 0, max: 100 }),
        async (prompt, text, references) => {
          await told(expandedAttempt(prompt, text, references));
        },
      ),
      { numRuns: 50 },
    );
    await told(expandedAttempt("🦩".repeat(8_000), "🦩".repeat(80_000), 100));
  }, 30_000);

  it("is never made of a job that isn't over", async () => {
    const record = sampleRecord("succeeded");
    await expect(payload(eventOf(record), null, apiUrl)).rejects.toThrow("isn't over");
  });
});
