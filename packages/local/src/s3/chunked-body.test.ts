import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type ChunkSigning, decodeChunks } from "./chunked-body.ts";
import { signingKey } from "./signature.ts";

// The published examples of AWS ("Transferring Payload in Multiple Chunks", "Including Trailing Headers").
const SCOPE = { date: "20130524", region: "us-east-1", service: "s3" };
const EXAMPLE: Omit<ChunkSigning, "seed"> = {
  key: signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", SCOPE),
  scope: SCOPE,
  time: "20130524T000000Z",
};
const PLAIN_SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
const PLAIN = [
  ["10000", "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"],
  ["400", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"],
  ["0", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"],
] as const;
const TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
const WITH_TRAILER = [
  ["10000", "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"],
  ["400", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"],
  ["0", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"],
] as const;
const TRAILER_SIGNATURE = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";

function frame(chunks: readonly (readonly [string, string])[]): string {
  return chunks
    .map(([size, signature]) => {
      const data = "a".repeat(Number.parseInt(size, 16));
      return `${size};chunk-signature=${signature}\r\n${data}${size === "0" ? "" : "\r\n"}`;
    })
    .join("");
}

async function* cut(bytes: Buffer, ...sizes: number[]): AsyncGenerator<Buffer> {
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function decode(
  body: string,
  signing?: ChunkSigning,
  sizes = [4096],
): Promise<{ data: string; trailers: Map<string, string> }> {
  const trailers = new Map<string, string>();
  const chunks: Buffer[] = [];
  for await (const chunk of decodeChunks(cut(Buffer.from(body), ...sizes), trailers, signing))
    chunks.push(chunk);
  return { data: Buffer.concat(chunks).toString(), trailers };
}

test("accepts AWS's example of signed chunks", async () => {
  const { data } = await decode(`${frame(PLAIN)}\r\n`, { ...EXAMPLE, seed: PLAIN_SEED });
  expect(data).toBe("a".repeat(65536 + 1024));
});

test("accepts AWS's example of signed chunks with a signed trailer", async () => {
  const body = `${frame(WITH_TRAILER)}x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:${TRAILER_SIGNATURE}\r\n\r\n`;
  const { data, trailers } = await decode(body, { ...EXAMPLE, seed: TRAILER_SEED });
  expect(data.length).toBe(66560);
  expect([...trailers]).toEqual([["x-amz-checksum-crc32c", "sOO8/Q=="]]);
});

test.each([
  ["a changed byte", `${frame(PLAIN).replace("aaa", "aba")}\r\n`],
  ["a missing chunk", `${frame([PLAIN[0], PLAIN[2]])}\r\n`],
  ["an unsigned chunk", "3\r\nabc\r\n0\r\n\r\n"],
])("refuses signed chunks with %s", async (_what, body) => {
  await expect(decode(body, { ...EXAMPLE, seed: PLAIN_SEED })).rejects.toMatchObject({
    code: "SignatureDoesNotMatch",
  });
});

test("refuses a changed trailer, and one without its signature", async () => {
  const signing = { ...EXAMPLE, seed: TRAILER_SEED };
  const changed = `${frame(WITH_TRAILER)}x-amz-checksum-crc32c:sOO9/Q==\r\nx-amz-trailer-signature:${TRAILER_SIGNATURE}\r\n\r\n`;
  await expect(decode(changed, signing)).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
  const unsigned = `${frame(WITH_TRAILER)}x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n`;
  await expect(decode(unsigned, signing)).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
});

test("the framing may be cut anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      async (chunks, sizes) => {
        const framed = chunks
          .map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`)
          .join("");
        const { data, trailers } = await decode(
          `${framed}0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n`,
          undefined,
          sizes,
        );
        expect(data).toBe(chunks.join(""));
        expect(trailers.get("x-amz-checksum-crc32")).toBe("AAAAAA==");
      },
    ),
  );
});

test("the empty line at the very end may be missing", async () => {
  expect((await decode("3\r\nabc\r\n0\r\n")).data).toBe("abc");
});

test.each([
  ["ends inside a chunk", "5\r\nabc", "IncompleteBody"],
  ["ends before the last chunk", "3\r\nabc\r\n", "IncompleteBody"],
  ["has no size", "zz\r\nabc\r\n0\r\n\r\n", "InvalidRequest"],
  ["has a chunk longer than its size", "2\r\nabc\r\n0\r\n\r\n", "InvalidRequest"],
  ["has an endless size line", "1".repeat(5000), "InvalidRequest"],
  ["has a trailer without a name", "0\r\nnonsense\r\n\r\n", "MalformedTrailerError"],
])("refuses a body that %s", async (_what, body, code) => {
  await expect(decode(body)).rejects.toMatchObject({ code });
});
