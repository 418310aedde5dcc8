import { sampleJob } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import {
  deliveryId,
  isDeliveryId,
  isDestination,
  isEndpointId,
  isEventId,
  jobEventId,
  newEndpointId,
  newEventId,
  partsOf,
  webhookId,
} from "./ids.ts";

const now = Date.UTC(2026, 10, 1);
const entropy = Uint8Array.from({ length: 10 }, (_, at) => at);
const event = newEventId(now, entropy);
const endpoint = newEndpointId(now, entropy);
const text = event.slice("evt_".length);

describe("an id", () => {
  it("says what it is of", () => {
    expect(event).toMatch(/^evt_/);
    expect(endpoint).toMatch(/^ep_/);
    expect([isEventId(event), isEventId(endpoint)]).toEqual([true, false]);
    expect([isEndpointId(endpoint), isEndpointId(event)]).toEqual([true, false]);
    expect([endpoint, "inline", event, ""].map(isDestination)).toEqual([true, true, false, false]);
  });

  it("is one only as a whole, and in the letters that ids are made of", () => {
    for (const wrong of [`x${text}`, text.slice(1), `${text}0`, `8${text.slice(1)}`, `${text.slice(1)}u`]) {
      expect(isEventId(`evt_${wrong}`), wrong).toBe(false);
      expect(isEndpointId(`ep_${wrong}`), wrong).toBe(false);
    }
    expect(isEventId(` ${event}`)).toBe(false);
    expect(isEndpointId(` ${endpoint}`)).toBe(false);
    expect(isEventId(event.toUpperCase())).toBe(false);
  });
});

describe("the event of a job's end", () => {
  it("has the job's own id, so that whoever tells of it tells the same", () => {
    const { id } = sampleJob();
    expect(jobEventId(id)).toBe(id.replace("job_", "evt_"));
    expect(isEventId(jobEventId(id))).toBe(true);
  });
});

describe("a delivery's id", () => {
  it("names its event and its destination", () => {
    for (const destination of [endpoint, "inline"] as const) {
      const id = deliveryId(event, destination);
      expect(partsOf(id)).toEqual({ event, destination });
      expect(isDeliveryId(id)).toBe(true);
    }
    expect(deliveryId(event, endpoint)).toBe(`dlv_${text}_${text}`);
    expect(deliveryId(event, "inline")).toBe(`dlv_${text}_inline`);
  });

  it("is none where either is none, or more is said", () => {
    const wrong = [
      "",
      event,
      `dlv_${text}`,
      `dlv_${text}_`,
      `dlv_${text}_outline`,
      `dlv_1_${text}`,
      `dlv_${text}_1`,
      `dlv__inline`,
      `dlv_${text}_inline_`,
      ` dlv_${text}_inline`,
      `dlv_${text}_${text}_${text}`,
      `dlx_${text}_inline`,
    ];
    for (const id of wrong) {
      expect(partsOf(id), id).toBeNull();
      expect(isDeliveryId(id), id).toBe(false);
    }
  });
});

describe("a webhook-id", () => {
  it("is the same for an event at a destination whenever it is asked for, and another one elsewhere", () => {
    const id = webhookId(event, endpoint);
    expect(id).toMatch(/^msg_[0-9a-hjkmnp-tv-z]{52}$/);
    expect(webhookId(event, endpoint)).toBe(id);
    expect(webhookId(event, "inline")).not.toBe(id);
    expect(webhookId(newEventId(now + 1, entropy), endpoint)).not.toBe(id);
  });
});
