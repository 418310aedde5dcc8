import { verifyWebhook } from "@plantain/client/webhook";
import { newSigner, rotated, secretsAt, signingKeysAt } from "@plantain/core/webhook/endpoint";
import {
  jsonWebKey,
  newSecret,
  newSigningKey,
  publicKeyOf,
  signedHeaders,
} from "@plantain/core/webhook/signature";
import { seededRandom } from "@plantain/memory/clock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { takenBy, verifiers } from "./verifiers.ts";

const everybody = Object.keys(verifiers);
const rotatedAt = 1_790_000_000_000;
const overlapMs = 24 * 3_600_000;
const older = newSecret(new Uint8Array(32).fill(3));
const newer = newSecret(new Uint8Array(32).fill(4));
const key = newSigningKey(new Uint8Array(32).fill(5));
const signer = newSigner("acme", 0, seededRandom(1), older);
const [oldPublicKey] = signingKeysAt(signer, 0).map(publicKeyOf);
const replaced = rotated(signer, { secret: newer, key }, rotatedAt, overlapMs) ?? signer;
const body = JSON.stringify({
  type: "ping",
  timestamp: "2026-09-21T14:13:20.000Z",
  data: { object: "ping", endpoint: signer.id },
});

/** What an endpoint whose secret was replaced sends at `at`, which is also when it arrives. */
function sentAt(at: number) {
  vi.setSystemTime(at);
  return signedHeaders({
    id: "msg_1",
    timestampSeconds: Math.floor(at / 1000),
    body,
    secrets: secretsAt(replaced, at),
    signingKeys: signingKeysAt(replaced, at),
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("after a secret was replaced", () => {
  it.each([
    ["at once", 0],
    ["until the overlap is over", overlapMs - 1],
  ])("everybody takes what comes under the old one and under the new one: %s", async (_, after) => {
    const headers = sentAt(rotatedAt + after);
    expect(await takenBy({ body, headers, secret: older })).toEqual(everybody);
    expect(await takenBy({ body, headers, secret: newer })).toEqual(everybody);
  });

  it("nobody takes the old one a second after the overlap", async () => {
    const headers = sentAt(rotatedAt + overlapMs + 1_000);
    expect(await takenBy({ body, headers, secret: older })).toEqual([]);
    expect(await takenBy({ body, headers, secret: newer })).toEqual(everybody);
  });

  it("the old public key is good until the overlap is over, and the new one for good", () => {
    const newPublicKey = publicKeyOf(key);
    if (!oldPublicKey) throw new Error("There was a key");
    const set = { keys: [newPublicKey, oldPublicKey].map(jsonWebKey) };
    const takes = (after: number, pinned: Parameters<typeof verifyWebhook>[2]) => {
      const headers = sentAt(rotatedAt + after);
      return () => verifyWebhook(body, headers, pinned);
    };
    for (const pinned of [newPublicKey, oldPublicKey, set]) {
      expect(takes(0, pinned)).not.toThrow();
      expect(takes(overlapMs - 1, pinned)).not.toThrow();
    }
    expect(takes(overlapMs, oldPublicKey)).toThrowError(
      expect.objectContaining({ code: "no_matching_signature" }),
    );
    expect(takes(overlapMs, newPublicKey)).not.toThrow();
    expect(takes(overlapMs, set)).not.toThrow();
  });

  it("a receiver that holds both never misses one", () => {
    for (const after of [0, overlapMs - 1, overlapMs + 1_000]) {
      const headers = sentAt(rotatedAt + after);
      expect(verifyWebhook(body, headers, [newer, older]).id).toBe("msg_1");
      expect(verifyWebhook(body, headers, [older, newer]).id).toBe("msg_1");
    }
  });
});
