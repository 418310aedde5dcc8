import { dynamoDeliveries } from "@plantain/aws/dynamo-deliveries";
import { dynamoEndpoints } from "@plantain/aws/dynamo-endpoints";
import { newDelivery } from "@plantain/core/webhook/delivery";
import {
  changed,
  heard,
  mostEndpoints,
  newSigner,
  publicKeysOf,
  rotated,
} from "@plantain/core/webhook/endpoint";
import type { Deliveries, Endpoints } from "@plantain/core/webhook/ports";
import { newSecret, newSigningKey } from "@plantain/core/webhook/signature";
import { seededRandom } from "@plantain/memory/clock";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { samplePolicy } from "@plantain/memory/samples";
import { sampleDelivering, sampleEndpoint, sampleEvent } from "@plantain/memory/webhook-samples";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emulatedTable } from "./emulators.ts";

const now = Date.UTC(2026, 10, 1);
const random = seededRandom(5);
const next = { secret: newSecret(random.bytes(32)), key: newSigningKey(random.bytes(32)) };

type Stores = { endpoints: Endpoints; deliveries: Deliveries; stop(): Promise<void> };

/** What every implementation of the `Endpoints` port does. */
function endpointsContract(name: string, start: () => Promise<Stores>) {
  describe(`Endpoints, ${name}`, () => {
    let endpoints: Endpoints;
    let deliveries: Deliveries;
    let stop: () => Promise<void>;
    beforeAll(async () => ({ endpoints, deliveries, stop } = await start()));
    afterAll(() => stop());

    const newTenant = () => `t${Math.random()}`;

    it("gives back what was created, to its tenant alone", async () => {
      const tenant = newTenant();
      const endpoint = sampleEndpoint({
        tenant,
        events: ["job.failed", "endpoint.disabled"],
        description: "Zürich",
        disabled: { at: now, reason: "gone" },
        failingSince: now - 1,
        slot: { delivery: sampleDelivering().id, until: now },
      });
      await endpoints.create(endpoint);
      expect(await endpoints.load(tenant, endpoint.id)).toEqual(endpoint);
      expect(await endpoints.load(newTenant(), endpoint.id)).toBeNull();
      expect(await endpoints.publicKeys(endpoint.id)).toEqual(publicKeysOf(endpoint));
      await expect(endpoints.create(endpoint)).rejects.toThrow("it is there");
      await endpoints.remove(endpoint);
      expect(await endpoints.create(endpoint)).toBe(true);
    });

    it("lists a tenant's, oldest first, and what was removed no more", async () => {
      const tenant = newTenant();
      const [first, second] = [now, now + 1].map((createdAt) => sampleEndpoint({ tenant, createdAt }));
      if (!first || !second) throw new Error("Two were made");
      await endpoints.create(second);
      await endpoints.create(first);
      await endpoints.writeSigner(null, newSigner(tenant, now, random));
      expect(await endpoints.list(tenant)).toEqual([first, second]);
      await endpoints.remove(first);
      expect(await endpoints.list(tenant)).toEqual([second]);
      expect(await endpoints.load(tenant, first.id)).toBeNull();
      expect(await endpoints.publicKeys(first.id)).toEqual([]);
      expect(await endpoints.write(first, changed(first, { enabled: false }, now))).toEqual({
        written: false,
        current: null,
      });
    });

    it("creates no more for a tenant than there may be, however many at once, until one is removed", async () => {
      const tenant = newTenant();
      const create = () => endpoints.create(sampleEndpoint({ tenant }));
      const created = await Promise.all(Array.from({ length: mostEndpoints + 8 }, create));
      expect(created.filter((each) => each)).toHaveLength(mostEndpoints);
      const [first, second, ...others] = await endpoints.list(tenant);
      if (!first || !second) throw new Error("There are twenty");
      expect(others).toHaveLength(mostEndpoints - 2);
      expect(await endpoints.create(sampleEndpoint({ tenant: newTenant() }))).toBe(true);

      await endpoints.remove(first);
      await endpoints.remove(first);
      expect([await create(), await create()]).toEqual([true, false]);
      // What is written again is no more than it was
      await endpoints.write(second, changed(second, { enabled: false }, now));
      await endpoints.remove(second);
      expect([await create(), await create()]).toEqual([true, false]);
      expect(await endpoints.list(tenant)).toHaveLength(mostEndpoints);
    });

    it("writes only on the version that it follows, and says what is there instead", async () => {
      const endpoint = sampleEndpoint({ tenant: newTenant() });
      await endpoints.create(endpoint);
      const to = rotated(endpoint, next, now, 1_000);
      if (!to) throw new Error("There is room for a secret");
      expect(await endpoints.write(endpoint, to)).toEqual({ written: true });
      const late = changed(endpoint, { url: "https://example.com/other" }, now);
      expect(await endpoints.write(endpoint, late)).toEqual({ written: false, current: to });
      expect(await endpoints.load(endpoint.tenant, endpoint.id)).toEqual(to);
      expect(await endpoints.publicKeys(endpoint.id)).toEqual(publicKeysOf(to));
    });

    it("stores an event with the write that it comes of, or neither", async () => {
      const endpoint = sampleEndpoint({ tenant: newTenant() });
      await endpoints.create(endpoint);
      const disabled = heard(endpoint, { at: now, ms: 1, outcome: "gone" });
      const announcement = () => {
        const event = sampleEvent();
        return { event, deliveries: [newDelivery(event, "inline", samplePolicy)] };
      };
      const won = announcement();
      expect(await endpoints.write(endpoint, disabled, won)).toEqual({ written: true });
      expect(await deliveries.loadEvent(won.event.id)).toEqual(won.event);
      const lost = announcement();
      expect(await endpoints.write(endpoint, disabled, lost)).toEqual({ written: false, current: disabled });
      expect(await deliveries.loadEvent(lost.event.id)).toBeNull();
    });

    it("keeps one signer for the URLs of a tenant's jobs, whoever makes it first", async () => {
      const tenant = newTenant();
      expect(await endpoints.loadSigner(tenant)).toBeNull();
      const first = newSigner(tenant, now, random);
      expect(await endpoints.writeSigner(null, first)).toEqual({ written: true });
      expect(await endpoints.writeSigner(null, newSigner(tenant, now, random))).toEqual({
        written: false,
        current: first,
      });
      const to = rotated(first, next, now, 1_000);
      if (!to) throw new Error("There is room for a secret");
      expect(await endpoints.writeSigner(first, to)).toEqual({ written: true });
      expect(await endpoints.writeSigner(first, to)).toEqual({ written: false, current: to });
      expect(await endpoints.loadSigner(tenant)).toEqual(to);
      expect(await endpoints.publicKeys(first.id)).toEqual(publicKeysOf(to));
      expect(publicKeysOf(to)).toMatchObject([{ until: null }, { until: now + 1_000 }]);
      expect(await endpoints.list(tenant)).toEqual([]);
    });
  });
}

endpointsContract("in memory", async () => {
  const deliveries = memoryDeliveries();
  return { deliveries, endpoints: memoryEndpoints(deliveries), stop: async () => undefined };
});
endpointsContract("on DynamoDB", async () => {
  const { client, name, stop } = await emulatedTable();
  return {
    deliveries: dynamoDeliveries(client, name),
    endpoints: dynamoEndpoints(client, name, name),
    stop,
  };
});
