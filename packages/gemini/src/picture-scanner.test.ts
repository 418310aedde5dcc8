import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BrokenReply } from "./broken-reply.ts";
import { pictureScanner, type Scanned } from "./picture-scanner.ts";

const limits = { pictureBytes: 2 ** 20, jsonBytes: 2 ** 20 };

function scan(reply: string | Buffer, cut: (bytes: Buffer) => Buffer[] = (bytes) => [bytes]): Scanned {
  const scanner = pictureScanner(limits);
  for (const piece of cut(typeof reply === "string" ? Buffer.from(reply) : reply)) scanner.write(piece);
  return scanner.end();
}

/** Cut after each byte. */
function bytewise(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}

function read({ json, pictures }: Scanned): { json: unknown; pictures: Record<number, string> } {
  return {
    json: JSON.parse(json.toString()),
    pictures: Object.fromEntries(
      Array.from(pictures, ([index, { bytes }]) => [index, Buffer.concat(bytes).toString("base64")]),
    ),
  };
}

function replyWith(...parts: unknown[]) {
  return { candidates: [{ content: { parts, role: "model" }, finishReason: "STOP" }] };
}

function inline(base64: string, more: object = {}) {
  return { inlineData: { mimeType: "image/png", data: base64 }, ...more };
}

const picture = randomBytes(1000);
const base64 = picture.toString("base64");

describe("a reply with one picture", () => {
  const reply = replyWith({ text: "Here" }, inline(base64, { thoughtSignature: "c2ln/+==" }));

  test("gives the picture's bytes and hash, and the rest of the JSON with its name", () => {
    const scanned = scan(JSON.stringify(reply));
    expect(read(scanned)).toEqual({
      json: replyWith({ text: "Here" }, inline("plantain:0", { thoughtSignature: "c2ln/+==" })),
      pictures: { 0: base64 },
    });
    expect(scanned.pictures.get(0)?.sha256).toBe(createHash("sha256").update(picture).digest("hex"));
  });

  test("reads the same wherever it is cut in two", () => {
    const whole = Buffer.from(JSON.stringify(reply).replace('="', '\\u003d"').replaceAll("/", "\\/"));
    const expected = read(scan(whole));
    for (let at = 0; at <= whole.length; at += 1) {
      const halves = read(scan(whole, (bytes) => [bytes.subarray(0, at), bytes.subarray(at)]));
      expect(halves, `cut at ${at}`).toEqual(expected);
    }
  });

  test("reads the same one byte at a time, pretty-printed", () => {
    const pretty = JSON.stringify(reply, null, 2);
    expect(read(scan(pretty, bytewise))).toEqual(read(scan(pretty)));
  });
});

describe("base64", () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])("of %i bytes is read with and without padding", (size) => {
    const bytes = randomBytes(size).toString("base64");
    for (const written of [bytes, bytes.replaceAll("=", ""), bytes.replaceAll("=", "\\u003D")]) {
      const reply = `{"parts":[{"inlineData":{"data":"${written}"}}]}`;
      expect(read(scan(reply)).pictures).toEqual({ 0: bytes });
      expect(read(scan(reply, bytewise)).pictures).toEqual({ 0: bytes });
    }
  });

  test("is read in the URL-safe alphabet and with escaped slashes", () => {
    const bytes = Buffer.from([0xfb, 0xff, 0xfe, 0xff, 0xff, 0xff]);
    const standard = bytes.toString("base64");
    for (const written of [
      bytes.toString("base64url"),
      standard.replaceAll("/", "\\/"),
      standard.replaceAll("/", "\\u002f"),
    ])
      expect(read(scan(`{"a":{"inlineData":{"data":"${written}"}}}`, bytewise)).pictures).toEqual({
        0: standard,
      });
  });

  test.each([
    "QUJD*UJD",
    "QUJD QUJD",
    "QUJDQUJD\\nQUJD",
    "QUJDQ",
    "QUI=QUJD",
    "QU=DQUJD",
    "====",
    "QUJD\\\\",
    'QUJD\\"',
    "QUJD\\u41",
    "QUJ\\u4e41",
    "QUJé",
  ])("that is none is refused: %s", (written) => {
    const reply = `{"inlineData":{"data":"${written}"}}`;
    expect(() => scan(reply)).toThrow(expect.objectContaining({ breakage: "bad_base64" }));
    expect(() => scan(reply, bytewise)).toThrow(expect.objectContaining({ breakage: "bad_base64" }));
  });
});

describe("which strings are pictures", () => {
  test("only `data` directly in `inlineData` or `inline_data` is", () => {
    const reply = {
      data: base64,
      inlineData: [{ data: base64 }, "data", base64],
      parts: [
        { functionCall: { data: base64, inlineData: { other: base64, nested: { data: base64 } } } },
        { text: `"inlineData":{"data":"${base64}"}` },
        { inlineData: { mimeType: "data", data: null } },
      ],
      'inline"Data': { data: base64 },
    };
    expect(read(scan(JSON.stringify(reply), bytewise))).toEqual({ json: reply, pictures: {} });
    const snake = `{ "inline_data" : { "mime_type" : "image/png" , "\\u0064ata" : "${base64}" } }`;
    expect(read(scan(snake, bytewise))).toEqual({
      json: { inline_data: { mime_type: "image/png", data: "plantain:0" } },
      pictures: { 0: base64 },
    });
  });

  test("strings end where JSON says, whatever they escape", () => {
    const texts = ['a quote "', "a backslash \\", 'both \\"', '"', "\\\\"];
    const reply = replyWith(...texts.map((text) => ({ text })), inline(base64));
    expect(read(scan(JSON.stringify(reply), bytewise))).toEqual({
      json: replyWith(...texts.map((text) => ({ text })), inline("plantain:0")),
      pictures: { 0: base64 },
    });
  });

  test("any other JSON comes through byte by byte", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, seed) => {
        const bytes = Buffer.from(json);
        const at = bytes.length === 0 ? 0 : seed % bytes.length;
        expect(scan(bytes, () => [bytes.subarray(0, at), bytes.subarray(at)]).json.equals(bytes)).toBe(true);
      }),
    );
  });

  test("a huge thought signature survives", () => {
    const signature = randomBytes(300_000).toString("base64");
    const reply = replyWith(inline(base64, { thoughtSignature: signature }));
    const cut = (bytes: Buffer) => [
      bytes.subarray(0, 5000),
      bytes.subarray(5000, 70_000),
      bytes.subarray(70_000),
    ];
    expect(read(scan(JSON.stringify(reply), cut)).json).toEqual(
      replyWith(inline("plantain:0", { thoughtSignature: signature })),
    );
  });
});

describe("several pictures", () => {
  const [first, second, third] = ["Zmlyc3Q=", "c2Vjb25k", "dGhpcmQ="];

  test("are all kept but those in thoughts", () => {
    const reply = replyWith(inline(first), { text: "and" }, inline(second), inline(third, { thought: true }));
    expect(read(scan(JSON.stringify(reply), bytewise))).toEqual({
      json: replyWith(
        inline("plantain:0"),
        { text: "and" },
        inline("plantain:1"),
        inline("plantain:2", { thought: true }),
      ),
      pictures: { 0: first, 1: second },
    });
  });

  test("lose their earliest when they take too much together", () => {
    const half = inline(randomBytes(limits.pictureBytes / 2).toString("base64"));
    const reply = replyWith(half, half, inline(first));
    expect(Array.from(scan(JSON.stringify(reply)).pictures.keys())).toEqual([1, 2]);
  });

  test("take no memory once they are dropped", () => {
    const megabyte = inline(randomBytes(limits.pictureBytes).toString("base64"));
    const reply = Buffer.from(JSON.stringify(replyWith(...Array<object>(20).fill(megabyte))));
    const before = process.memoryUsage().arrayBuffers;
    expect(scan(reply).pictures.size).toBe(1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * limits.pictureBytes);
  });

  test("a thought is told from its mark, wherever in the part that stands", () => {
    const reply = replyWith({ thought: true, ...inline(first) }, inline(second, { thought: false }));
    expect(read(scan(JSON.stringify(reply))).pictures).toEqual({ 1: second });
  });
});

describe("a reply that can't be taken", () => {
  test("because it ends inside a picture", () => {
    const whole = JSON.stringify(replyWith(inline(base64)));
    expect(() => scan(whole.slice(0, whole.indexOf(base64) + 500))).toThrow(
      expect.objectContaining({ breakage: "cut" }),
    );
  });

  test("because a picture, the rest, or its depth is too large", () => {
    const tooLarge = expect.objectContaining({ breakage: "too_large" });
    const large = randomBytes(limits.pictureBytes + 1).toString("base64");
    expect(() => scan(JSON.stringify(replyWith(inline(large))))).toThrow(tooLarge);
    expect(() => scan(JSON.stringify({ text: large }))).toThrow(tooLarge);
    expect(() => scan("[".repeat(1000))).toThrow(tooLarge);
  });

  test("never names its content", () => {
    try {
      scan(`{"inlineData":{"data":"${base64}!"}}`);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(BrokenReply);
      expect(String(error)).not.toContain(base64.slice(0, 8));
    }
  });

  test.each(["", "<html><body>502</body></html>", '{"candidates":[', "]]]}}}", '"a\\', "null"])(
    "unless its parser says so, comes through as it is: %s",
    (text) => {
      expect(scan(text, bytewise).json.toString()).toBe(text);
    },
  );
});
