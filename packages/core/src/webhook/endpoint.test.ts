import { seededRandom } from "@plantain/memory/clock";
import { sampleDelivering, sampleEndpoint } from "@plantain/memory/webhook-samples";
import { describe, expect, it } from "vitest";
import {
  changed,
  heard,
  longestFailingMs,
  mostSecrets,
  publicKeysOf,
  rotated,
  secretsAt,
  signingKeysAt,
  withoutSlot,
  withSlot,
} from "./endpoint.ts";
import { newSecret, newSigningKey, publicKeyOf } from "./signature.ts";

const now = Date.UTC(2026, 10, 1);
const random = seededRandom(2);
const day = 24 * 3_600_000;
const next = () => ({ secret: newSecret(random.bytes(32)), key: newSigningKey(random.bytes(32)) });
const failed = { ms: 10, outcome: "failed" } as const;

describe("rotation", () => {
  it("signs with both secrets and both keys, the newer first, until the overlap is over", () => {
    const endpoint = sampleEndpoint();
    const [old] = secretsAt(endpoint, now);
    const [oldKey] = signingKeysAt(endpoint, now);
    const { secret, key } = next();
    const to = rotated(endpoint, { secret, key }, now, day);
    if (!to) throw new Error("There is room");
    expect(secretsAt(to, now)).toEqual([secret, old]);
    expect(secretsAt(to, now + day - 1)).toEqual([secret, old]);
    expect(secretsAt(to, now + day)).toEqual([secret]);
    expect(signingKeysAt(to, now + day - 1)).toEqual([key, oldKey]);
    expect(signingKeysAt(to, now + day)).toEqual([key]);
  });

  it("gives up the old secret and the old key at once without an overlap", () => {
    const { secret, key } = next();
    const to = rotated(sampleEndpoint(), { secret, key }, now, 0);
    expect(to?.secrets).toEqual([{ secret, until: null }]);
    expect(to?.signingKeys).toEqual([{ key, until: null }]);
  });

  it("to the same secret leaves the old key its overlap", () => {
    const endpoint = sampleEndpoint();
    const [secret] = secretsAt(endpoint, now);
    const [oldKey] = signingKeysAt(endpoint, now);
    const { key } = next();
    const to = secret && rotated(endpoint, { secret, key }, now, day);
    expect(to?.secrets).toEqual([{ secret, until: null }]);
    expect(to && signingKeysAt(to, now)).toEqual([key, oldKey]);
  });

  it("never prolongs what an earlier rotation has limited", () => {
    const endpoint = sampleEndpoint();
    const [old] = secretsAt(endpoint, now);
    const once = rotated(endpoint, next(), now, day);
    const twice = once && rotated(once, next(), now + 1, 7 * day);
    expect(twice?.secrets.find(({ secret }) => secret === old)?.until).toBe(now + day);
  });

  it("refuses to let too many sign at once", () => {
    let endpoint = sampleEndpoint();
    for (let count = 1; count < mostSecrets; count += 1) {
      const to = rotated(endpoint, next(), now, day);
      if (!to) throw new Error("There is room");
      endpoint = to;
    }
    expect(rotated(endpoint, next(), now, day)).toBeNull();
    const [secret] = secretsAt(endpoint, now);
    expect(secret && rotated(endpoint, { ...next(), secret }, now, day), "too many keys").toBeNull();
    expect(rotated(endpoint, next(), now + day, day)?.secrets).toHaveLength(2);
    const secrets = Array.from({ length: mostSecrets }, () => ({ secret: next().secret, until: null }));
    expect(rotated(sampleEndpoint({ secrets }), next(), now, day), "too many secrets").toBeNull();
  });

  it("publishes of each key its public half, and until when it signs", () => {
    const endpoint = sampleEndpoint();
    const [old] = signingKeysAt(endpoint, now);
    const { secret, key } = next();
    const to = rotated(endpoint, { secret, key }, now, day);
    expect(to && old && publicKeysOf(to)).toEqual([
      { publicKey: publicKeyOf(key), until: null },
      { publicKey: old && publicKeyOf(old), until: now + day },
    ]);
  });
});

describe("an endpoint's health", () => {
  it("is as it was while all is well", () => {
    const endpoint = sampleEndpoint();
    expect(heard(endpoint, { at: now, ms: 20, outcome: "taken" })).toBe(endpoint);
  });

  it("counts from the first failure on, and anew after a success", () => {
    const first = heard(sampleEndpoint(), { ...failed, at: now });
    expect(first.failingSince).toBe(now);
    expect(heard(first, { ...failed, at: now + 5 })).toBe(first);
    const well = heard(first, { at: now + 6, ms: 20, outcome: "taken" });
    expect(well.failingSince).toBeNull();
    expect(heard(well, { ...failed, at: now + longestFailingMs }).disabled).toBeNull();
  });

  it("disables what failed for five days without a success, and not before", () => {
    const endpoint = sampleEndpoint({ failingSince: now });
    expect(heard(endpoint, { ...failed, at: now + longestFailingMs - 1 }).disabled).toBeNull();
    const at = now + longestFailingMs;
    expect(heard(endpoint, { ...failed, at }).disabled).toEqual({ at, reason: "failing" });
  });

  it("disables at once what says that it is gone", () => {
    const to = heard(sampleEndpoint(), { at: now, ms: 5, outcome: "gone" });
    expect(to.disabled).toEqual({ at: now, reason: "gone" });
    expect(heard(to, { at: now + 1, ms: 5, outcome: "gone" }).disabled).toEqual(to.disabled);
  });

  it("moves what was too slow to the slow lane, and back once it answers as fast as the others", () => {
    const slow = heard(sampleEndpoint(), { at: now, ms: 3_000, outcome: "timed_out" });
    expect(slow.lane).toBe("slow");
    expect(heard(sampleEndpoint(), { at: now, ms: 10, outcome: "timed_out" }).lane).toBe("slow");
    expect(heard(sampleEndpoint(), { at: now, ms: 2_500, outcome: "taken" }).lane).toBe("slow");
    expect(heard(sampleEndpoint(), { at: now, ms: 2_499, outcome: "taken" }).lane).toBe("fast");
    expect(heard(slow, { at: now, ms: 9_000, outcome: "taken" }).lane).toBe("slow");
    expect(heard(sampleEndpoint(), { at: now, ms: 2_999, outcome: "taken" }).lane).toBe("slow");
    expect(heard(slow, { at: now, ms: 10, outcome: "failed" }).lane).toBe("slow");
    expect(heard(slow, { at: now, ms: 10, outcome: "taken" }).lane).toBe("fast");
  });

  it("begins anew when its owner enables it, and keeps the reason when disabled twice", () => {
    const endpoint = sampleEndpoint({
      disabled: { at: now, reason: "failing" },
      failingSince: now - 1,
      lane: "slow",
    });
    expect(changed(endpoint, { enabled: true }, now)).toMatchObject({
      disabled: null,
      failingSince: null,
      lane: "fast",
    });
    expect(changed(endpoint, { enabled: false }, now + 1).disabled).toEqual(endpoint.disabled);
    expect(changed(sampleEndpoint(), { enabled: false }, now).disabled).toEqual({ at: now, reason: "owner" });
    expect(changed(sampleEndpoint({ lane: "slow" }), { enabled: true }, now).lane).toBe("slow");
  });
});

describe("a change of an endpoint", () => {
  it("leaves it enabled or disabled where it says nothing of that", () => {
    const disabled = { at: now, reason: "gone" } as const;
    const change = { url: "https://new.example.com/" };
    expect(changed(sampleEndpoint(), change, now)).toMatchObject({ ...change, disabled: null });
    expect(changed(sampleEndpoint({ disabled }), change, now + 1)).toMatchObject({ ...change, disabled });
  });

  it("counts as a version of its own, whatever changes", () => {
    const { id } = sampleDelivering();
    const endpoint = sampleEndpoint({ version: 7, slot: { delivery: id, until: now } });
    const versions = [
      changed(endpoint, {}, now),
      heard(endpoint, { ...failed, at: now }),
      rotated(endpoint, next(), now, day),
      withSlot(endpoint, id, now, now + 30),
      withoutSlot(endpoint, id),
    ].map((to) => to?.version);
    expect(versions).toEqual([8, 8, 8, 8, 8]);
  });
});

describe("the slot of a slow endpoint", () => {
  const [one, other] = [sampleDelivering().id, sampleDelivering().id];

  it("has room for one delivery at a time, and for the same one again", () => {
    const taken = withSlot(sampleEndpoint(), one, now, now + 30);
    if (!taken) throw new Error("It was free");
    expect(withSlot(taken, other, now + 29, now + 60)).toBeNull();
    expect(withSlot(taken, one, now + 1, now + 31)?.slot).toEqual({ delivery: one, until: now + 31 });
    expect(withSlot(taken, other, now + 30, now + 60)?.slot?.delivery).toBe(other);
  });

  it("is given back by who has it alone", () => {
    const taken = withSlot(sampleEndpoint(), one, now, now + 30);
    if (!taken) throw new Error("It was free");
    expect(withoutSlot(taken, other)).toBe(taken);
    expect(withoutSlot(taken, one).slot).toBeNull();
  });
});
