import { verifyWebhook } from "@plantain/client/webhook";
import {
  newSecret,
  newSigningKey,
  type Secret,
  signatures,
  signedHeaders,
} from "@plantain/core/webhook/signature";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Received, takenBy, verifiers } from "./verifiers.ts";

/*
 * What we sign is held against verifiers that we did not write. They read the clock, so it stands still here.
 */

const everybody = Object.keys(verifiers);
const sentAt = 1_790_000_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: sentAt * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const secret = newSecret(new Uint8Array(32).fill(1));
const signingKey = newSigningKey(new Uint8Array(32).fill(2));
const body =
  '{"type":"ping","timestamp":"2026-09-21T14:13:20.000Z","data":{"object":"ping","endpoint":"🍌"}}';

/** A request of ours, and the secret that its receiver has. */
function sent(
  about: { id?: string; body?: string; at?: number; secrets?: readonly Secret[]; secret?: Secret } = {},
): Received {
  const { id = "msg_1", at = sentAt, secrets = [secret] } = about;
  const signing = { id, timestampSeconds: at, body: about.body ?? body, secrets, signingKeys: [signingKey] };
  return { body: signing.body, headers: signedHeaders(signing), secret: about.secret ?? secret };
}

function withHeader(request: Received, name: keyof Received["headers"], value: string): Received {
  return { ...request, headers: { ...request.headers, [name]: value } };
}

/** Each text that differs from this one in a single byte, by these bits of it. */
function* byteChanges(text: string, mask: number): Generator<string> {
  const bytes = Buffer.from(text);
  for (const [at, byte] of bytes.entries()) yield Buffer.from(bytes.with(at, byte ^ mask)).toString();
}

const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const secrets = fc.uint8Array({ minLength: 32, maxLength: 64 }).map(newSecret);
const bodyOf = (more: object) =>
  JSON.stringify({
    type: "ping",
    timestamp: "2026-09-21T14:13:20.000Z",
    data: { ...more, object: "ping", endpoint: "ep_1" },
  });
/** U+FFFD is what lenient decoders make of bytes that aren't UTF-8: see below for what comes of that. */
const isPlain = (text: string) => !text.includes("\ufffd");
const payloads = fc
  .dictionary(fc.string(), fc.jsonValue({ stringUnit: "binary" }))
  .map(bodyOf)
  .filter(isPlain);
/** For tests that try a change of each byte with each verifier. */
const shortPayloads = fc
  .record({ note: fc.string({ unit: "binary", maxLength: 20 }), n: fc.double() })
  .map(bodyOf)
  .filter(isPlain);
const masks = fc.integer({ min: 1, max: 255 });
/** What leaves a header one that HTTP can carry. */
const headerMasks = fc.constantFrom(1, 2, 4);
/** A run tries hundreds of changes with each verifier. */
const thorough = { numRuns: 20 };
const thoroughMs = 30_000;

describe("a delivery", () => {
  it("is taken by everybody, whatever it carries and however old the receiver's secret is", async () => {
    await fc.assert(
      fc.asyncProperty(ids, payloads, secrets, secrets, async (id, payload, newer, older) => {
        for (const held of [newer, older]) {
          const request = sent({ id, body: payload, secrets: [newer, older], secret: held });
          expect(await takenBy(request)).toEqual(everybody);
        }
      }),
    );
  });

  it("is refused by everybody, under every secret that didn't sign it", async () => {
    await fc.assert(
      fc.asyncProperty(payloads, secrets, secrets, async (payload, newer, older) => {
        fc.pre(newer !== older);
        expect(await takenBy(sent({ body: payload, secrets: [newer], secret: older }))).toEqual([]);
      }),
    );
  });

  it(
    "is refused by everybody after any change of a single byte in its id or time",
    async () => {
      await fc.assert(
        fc.asyncProperty(ids, shortPayloads, headerMasks, async (id, payload, mask) => {
          const request = sent({ id, body: payload });
          for (const changed of byteChanges(id, mask))
            expect(await takenBy(withHeader(request, "webhook-id", changed)), changed).toEqual([]);
          for (const changed of byteChanges(String(sentAt), mask))
            expect(await takenBy(withHeader(request, "webhook-timestamp", changed)), changed).toEqual([]);
        }),
        thorough,
      );
    },
    thoroughMs,
  );

  it(
    "is refused by everybody after any change of a single byte in its body",
    async () => {
      await fc.assert(
        fc.asyncProperty(shortPayloads, masks, async (payload, mask) => {
          const request = sent({ body: payload });
          for (const changed of byteChanges(payload, mask))
            expect(await takenBy({ ...request, body: changed }), changed).toEqual([]);
        }),
        thorough,
      );
    },
    thoroughMs,
  );

  it(
    "is refused by everybody after any change of a single byte that v1 signs with",
    async () => {
      await fc.assert(
        fc.asyncProperty(shortPayloads, masks, async (payload, mask) => {
          const request = sent({ body: payload });
          const [v1 = "", v1a] = request.headers["webhook-signature"].split(" ");
          const bytes = Buffer.from(v1.slice("v1,".length), "base64");
          expect(bytes).toHaveLength(32);
          for (const [at, byte] of bytes.entries()) {
            const changed = `v1,${Buffer.from(bytes.with(at, byte ^ mask)).toString("base64")}`;
            expect(await takenBy(withHeader(request, "webhook-signature", `${changed} ${v1a}`))).toEqual([]);
          }
        }),
        thorough,
      );
    },
    thoroughMs,
  );
});

describe("the verifiers differ:", () => {
  it("a time with something behind it is a time to half of them", async () => {
    const request = withHeader(sent(), "webhook-timestamp", `${sentAt}abc`);
    expect(await takenBy(request)).toEqual(["standardwebhooks", "svix"]);
  });

  it("bytes that aren't UTF-8 pass for others with all who decode them first; ours refuses them", async () => {
    const signed = sent({
      body: '{"type":"ping","timestamp":"2026-09-21T14:13:20.000Z","data":{"object":"ping","endpoint":"\ufffd"}}',
    });
    const arrived = Buffer.from(signed.body.replace("\ufffd", "\xff"), "latin1");
    expect(await takenBy({ ...signed, body: arrived.toString() })).toEqual(everybody);
    expect(() => verifyWebhook(arrived, signed.headers, secret)).toThrowError(
      expect.objectContaining({ code: "invalid_body" }),
    );
  });

  it.each([
    ["5 minutes", 300, everybody],
    ["more than 5 minutes", 301, ["replicate"]],
    ["ten years", 315_360_000, ["replicate"]],
  ])("a time that is %s off stops a replay everywhere but with replicate", async (_, seconds, takers) => {
    expect(await takenBy(sent({ at: sentAt - seconds }))).toEqual(takers);
    expect(await takenBy(sent({ at: sentAt + seconds }))).toEqual(takers);
  });

  const v1 = signatures({ id: "msg_1", timestampSeconds: sentAt, body, secrets: [secret], signingKeys: [] });
  const v1a = sent().headers["webhook-signature"].split(" ")[1] ?? "";
  const noise = `v1,${Buffer.alloc(32).toString("base64")}`;

  it.each([
    ["v1 after a strange one", `${noise} ${v1}`, everybody],
    ["v1 after v1a", `${v1a} ${v1}`, everybody],
    ["v1a alone, which needs another key than a secret", v1a, []],
    ["v1 under a version that isn't there", v1.replace("v1", "v9"), ["replicate"]],
    ["v1 without a version", v1.slice(3), ["openai"]],
    ["v1 with another case", v1.replace("v1", "V1"), ["replicate"]],
    // 32 bytes leave two bits of the last character without a meaning
    ["v1 in another spelling of its last character", respelled(v1), ["openai"]],
    ["v1 without its padding", v1.slice(0, -1), ["openai"]],
  ])("%s", async (_, signature, takers) => {
    expect(await takenBy(withHeader(sent(), "webhook-signature", signature))).toEqual(takers);
  });
});

/** The same bytes in base64 that isn't canonical. */
function respelled(v1: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const last = v1.at(-2) ?? "";
  return `${v1.slice(0, -2)}${alphabet[alphabet.indexOf(last) + 1]}=`;
}
