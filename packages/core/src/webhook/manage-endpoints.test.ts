import { manualClock, seededRandom } from "@plantain/memory/clock";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryDeliveryQueue } from "@plantain/memory/delivery-queue";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { samplePolicy } from "@plantain/memory/samples";
import { sampleEndpoint } from "@plantain/memory/webhook-samples";
import { describe, expect, it } from "vitest";
import { changeEndpoint } from "./change-endpoint.ts";
import { mostEndpoints, mostSecrets, secretsAt, signingKeysAt } from "./endpoint.ts";
import {
  findEndpoint,
  ping,
  registerEndpoint,
  rewrite,
  rotateSecret,
  rotateSigner,
  signerOf,
} from "./manage-endpoints.ts";
import { isSecret, isSigningKey, newSecret } from "./signature.ts";

const hour = 3_600_000;
const own = newSecret(seededRandom(9).bytes(32));
const settings = {
  url: "https://example.com/hook",
  events: ["job.failed"],
  description: "Mine",
  enabled: true,
  secret: null,
} as const;
const disabled = { at: 0, reason: "owner" } as const;
const unsent = () => undefined;

function world() {
  const clock = manualClock();
  const deliveries = memoryDeliveries();
  const endpoints = memoryEndpoints(deliveries);
  const queue = memoryDeliveryQueue(clock);
  const random = seededRandom();
  const ports = { endpoints, deliveries, deliveryQueue: queue, clock, random, policy: samplePolicy };
  const endpoint = async (about: Parameters<typeof sampleEndpoint>[0] = {}) => {
    const made = sampleEndpoint(about);
    await endpoints.create(made);
    return made;
  };
  return { clock, deliveries, endpoints, queue, ports, endpoint };
}

describe("an endpoint that is registered", () => {
  it("has what its owner said, a secret and a key of ours, and is stored", async () => {
    const { ports, endpoints, clock } = world();
    const endpoint = await registerEndpoint(ports, "acme", settings);
    expect(endpoint).toMatchObject({
      tenant: "acme",
      url: settings.url,
      events: ["job.failed"],
      description: "Mine",
      disabled: null,
      lane: "fast",
      createdAt: clock.now(),
    });
    expect(secretsAt(endpoint, clock.now()).map(isSecret)).toEqual([true]);
    expect(signingKeysAt(endpoint, clock.now()).map(isSigningKey)).toEqual([true]);
    expect(await endpoints.load("acme", endpoint.id)).toEqual(endpoint);
    expect(endpoint, "its secret is said once").not.toHaveProperty("secret");
  });

  it("may bring its own secret, and be disabled at first", async () => {
    const { ports, clock } = world();
    const endpoint = await registerEndpoint(ports, "acme", { ...settings, enabled: false, secret: own });
    expect(secretsAt(endpoint, clock.now())).toEqual([own]);
    expect(endpoint.disabled).toEqual({ at: clock.now(), reason: "owner" });
  });

  it("is one of so many at most", async () => {
    const { ports, endpoints } = world();
    for (let count = 0; count < mostEndpoints; count += 1) await registerEndpoint(ports, "acme", settings);
    await expect(registerEndpoint(ports, "acme", settings)).rejects.toMatchObject({
      code: "too_many_endpoints",
      message: expect.stringContaining(String(mostEndpoints)),
    });
    expect(await endpoints.list("acme")).toHaveLength(mostEndpoints);
    await expect(registerEndpoint(ports, "globex", settings)).resolves.toMatchObject({ tenant: "globex" });
  });

  it("is found by its tenant alone", async () => {
    const { ports, endpoint, endpoints } = world();
    const made = await endpoint();
    expect(await findEndpoint(ports, "acme", made.id)).toEqual(made);
    const missing = { code: "endpoint_not_found", message: expect.stringContaining(made.id) };
    await expect(findEndpoint(ports, "globex", made.id)).rejects.toMatchObject(missing);
    Object.assign(endpoints, { load: async () => made });
    await expect(findEndpoint(ports, "acme", "ep_1"), "it is no id").rejects.toMatchObject({
      code: "endpoint_not_found",
    });
  });
});

describe("a change of an endpoint", () => {
  it("is stored, and made again of what is there where somebody was quicker", async () => {
    const { ports, endpoint, endpoints } = world();
    const made = await endpoint();
    const { load } = endpoints;
    Object.assign(endpoints, {
      load: async (...args: Parameters<typeof load>) => {
        const loaded = await load(...args);
        Object.assign(endpoints, { load });
        if (loaded) await endpoints.write(loaded, { ...loaded, description: "Other", version: 2 });
        return loaded;
      },
    });
    const change = { url: "https://new.example.com/" };
    const { endpoint: to, resumed } = await changeEndpoint(ports, "acme", made.id, change, () => 0);
    expect(to).toMatchObject({ url: "https://new.example.com/", description: "Other", version: 3 });
    expect(await endpoints.load("acme", made.id)).toEqual(to);
    expect(resumed, "it enabled nothing").toBeNull();
  });

  it("that disables sends nothing on its way", async () => {
    const { ports, endpoint } = world();
    const { id } = await endpoint();
    const to = await changeEndpoint(ports, "acme", id, { enabled: false }, () => 0);
    expect(to).toMatchObject({ endpoint: { disabled: { reason: "owner" } }, resumed: null });
  });

  it("that enables tells what it sent on its way", async () => {
    const { ports, endpoint } = world();
    const { id } = await endpoint({ disabled });
    const to = await changeEndpoint(ports, "acme", id, { enabled: true }, () => 0);
    expect(to).toMatchObject({ endpoint: { disabled: null }, resumed: { recovered: 0, isComplete: true } });
  });

  it("is refused where it is removed meanwhile", async () => {
    const { ports, endpoint, endpoints } = world();
    const made = await endpoint();
    const remove = (from: typeof made) => {
      void endpoints.remove(from);
      return { ...from, version: from.version + 1 };
    };
    await expect(rewrite(ports, "acme", made.id, remove)).rejects.toMatchObject({
      code: "endpoint_not_found",
      message: expect.stringContaining(made.id),
    });
  });
});

describe("a new secret of an endpoint", () => {
  it("signs first, together with a new key; those before sign on for as long as was asked", async () => {
    const { ports, endpoint, clock, endpoints } = world();
    const made = await endpoint();
    const to = await rotateSecret(ports, "acme", made.id, own, hour);
    const before = { secrets: secretsAt(made, clock.now()), keys: signingKeysAt(made, clock.now()) };
    expect(secretsAt(to, clock.now() + hour - 1)).toEqual([own, ...before.secrets]);
    const keys = signingKeysAt(to, clock.now() + hour - 1);
    expect(keys.slice(1)).toEqual(before.keys);
    expect(keys.every(isSigningKey)).toBe(true);
    expect(secretsAt(to, clock.now() + hour)).toEqual([own]);
    expect(await endpoints.load("acme", made.id)).toEqual(to);
  });

  it("is made where its owner brings none", async () => {
    const { ports, endpoint, clock } = world();
    const made = await endpoint();
    const to = await rotateSecret(ports, "acme", made.id, null, 0);
    const [secret, ...others] = secretsAt(to, clock.now());
    expect(secret && isSecret(secret)).toBe(true);
    expect(secretsAt(made, clock.now())).not.toContain(secret);
    expect(others).toEqual([]);
  });

  it("is refused while too many sign, and says what to do", async () => {
    const { ports, endpoint } = world();
    const { id } = await endpoint();
    const rotate = () => rotateSecret(ports, "acme", id, null, hour);
    for (let count = 1; count < mostSecrets; count += 1) await rotate();
    await expect(rotate()).rejects.toMatchObject({
      code: "too_many_secrets",
      field: "overlap_seconds",
      message: expect.stringContaining("overlap of 0"),
    });
  });
});

describe("a ping", () => {
  it("is a delivery to that endpoint like any other, whatever that wants to hear of", async () => {
    const { ports, endpoint, deliveries, queue, clock } = world();
    const made = await endpoint({ events: [] });
    const delivery = await ping(ports, "acme", made.id, unsent);
    expect(delivery).toMatchObject({ status: "pending", type: "ping", destination: made.id, jobId: null });
    expect(await deliveries.load(delivery.id)).toEqual(delivery);
    expect(await deliveries.loadEvent(delivery.event)).toEqual({
      id: delivery.event,
      type: "ping",
      tenant: "acme",
      at: clock.now(),
      endpoint: made.id,
    });
    expect(queue.messages).toEqual([{ id: delivery.id, lane: "fast", visibleAt: clock.now() }]);
  });

  it("is another one each time", async () => {
    const { ports, endpoint } = world();
    const { id } = await endpoint();
    const [one, two] = [await ping(ports, "acme", id, unsent), await ping(ports, "acme", id, unsent)];
    expect(one.id).not.toBe(two.id);
  });

  it("is refused where the endpoint is disabled", async () => {
    const { ports, endpoint, queue } = world();
    const { id } = await endpoint({ disabled });
    await expect(ping(ports, "acme", id, unsent)).rejects.toMatchObject({
      code: "endpoint_disabled",
      message: expect.stringContaining(id),
    });
    expect(queue.messages).toEqual([]);
  });

  it("is stored though its message can't be sent, which is told", async () => {
    const { ports, endpoint, deliveries, queue } = world();
    const { id } = await endpoint();
    const away = new Error("SQS is away");
    Object.assign(queue, { send: () => Promise.reject(away) });
    const told: unknown[] = [];
    const delivery = await ping(ports, "acme", id, (error) => told.push(error));
    expect(told).toEqual([away]);
    expect(await deliveries.load(delivery.id)).toEqual(delivery);
  });
});

describe("what signs for the URLs of a tenant's jobs", () => {
  it("is made when it is first asked for, and the same from then on", async () => {
    const { ports, clock } = world();
    const signer = await signerOf(ports, "acme");
    expect(signer).toMatchObject({ tenant: "acme", createdAt: clock.now(), version: 1 });
    expect(await signerOf(ports, "acme")).toEqual(signer);
    expect((await signerOf(ports, "globex")).id).not.toBe(signer.id);
  });

  it("is made once, however many ask for it at once", async () => {
    const { ports } = world();
    const [one, two] = await Promise.all([signerOf(ports, "acme"), signerOf(ports, "acme")]);
    expect(one).toEqual(two);
  });

  it("gets a new secret and key like an endpoint", async () => {
    const { ports, clock, endpoints } = world();
    const before = await signerOf(ports, "acme");
    const to = await rotateSigner(ports, "acme", own, hour);
    expect(secretsAt(to, clock.now())).toEqual([own, ...secretsAt(before, clock.now())]);
    expect(secretsAt(to, clock.now() + hour)).toEqual([own]);
    expect(await endpoints.loadSigner("acme")).toEqual(to);
  });

  it("keeps both new secrets where two are given at once", async () => {
    const { ports, endpoints, clock } = world();
    await signerOf(ports, "acme");
    const [one, two] = await Promise.all([
      rotateSigner(ports, "acme", own, hour),
      rotateSigner(ports, "acme", null, hour),
    ]);
    const signer = await endpoints.loadSigner("acme");
    const now = signer ? secretsAt(signer, clock.now()) : [];
    expect(now).toHaveLength(3);
    expect(now).toEqual(
      expect.arrayContaining([...secretsAt(one, clock.now()), ...secretsAt(two, clock.now())]),
    );
  });

  it("is looked up again where the store had none to be replaced", async () => {
    const { ports, endpoints, clock } = world();
    await signerOf(ports, "acme");
    const { writeSigner } = endpoints;
    Object.assign(endpoints, {
      writeSigner: async () => {
        Object.assign(endpoints, { writeSigner });
        return { written: false, current: null };
      },
    });
    const to = await rotateSigner(ports, "acme", own, 0);
    expect(secretsAt(to, clock.now())).toEqual([own]);
    expect(await endpoints.loadSigner("acme")).toEqual(to);
  });
});
