import { createHash } from "node:crypto";
import * as z from "zod";
import { createCrc32, createCrc32c, createCrc64Nvme } from "./crc.ts";
import { S3Error } from "./s3-error.ts";

/** A checksum algorithm, spelt as S3 spells it in XML and in `x-amz-checksum-algorithm`. */
export const Algorithm = z.enum(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]);
export type Algorithm = z.infer<typeof Algorithm>;

/** A stored checksum: `value` is base64, with `-<parts>` behind it when it is a checksum of part checksums. */
export const Checksum = z.strictObject({
  algorithm: Algorithm,
  value: z.string(),
  type: z.enum(["FULL_OBJECT", "COMPOSITE"]),
});
export type Checksum = z.infer<typeof Checksum>;

/** What S3 computes when the client names no algorithm. */
export const DEFAULT_ALGORITHM: Algorithm = "CRC64NVME";

type Digest = { update(chunk: Uint8Array): unknown; digest(): Buffer };

const LENGTHS: Readonly<Record<Algorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

export function createDigest(algorithm: Algorithm): Digest {
  switch (algorithm) {
    case "CRC32":
      return createCrc32();
    case "CRC32C":
      return createCrc32c();
    case "CRC64NVME":
      return createCrc64Nvme();
    case "SHA1":
      return createHash("sha1");
    case "SHA256":
      return createHash("sha256");
  }
}

/** The header, trailer or form field that carries a checksum of `algorithm`. */
export function checksumHeader(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The element of XML bodies that carries a checksum of `algorithm`. */
export function checksumElement(algorithm: Algorithm): string {
  return `Checksum${algorithm}`;
}

/**
 * The one checksum that headers (or form fields) state, base64. Throws `InvalidRequest` on a malformed value and on
 * more than one.
 */
export function statedChecksum(
  headers: ReadonlyMap<string, string>,
): { readonly algorithm: Algorithm; readonly value: string } | undefined {
  const stated = Algorithm.options.flatMap((algorithm) => {
    const value = headers.get(checksumHeader(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  if (stated.length > 1) throw severalChecksums();
  const [checksum] = stated;
  if (checksum !== undefined) checkEncoding(checksum.algorithm, checksum.value);
  return checksum;
}

export function severalChecksums(): S3Error {
  return new S3Error(
    "InvalidRequest",
    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
  );
}

/** Throws `InvalidRequest` unless `value` is the base64 of as many bytes as `algorithm` yields. */
export function checkEncoding(algorithm: Algorithm, value: string): void {
  const bytes = Buffer.from(value, "base64");
  if (bytes.length !== LENGTHS[algorithm] || bytes.toString("base64") !== value) {
    throw new S3Error("InvalidRequest", `Value for ${checksumHeader(algorithm)} header is invalid.`);
  }
}

/** Throws `BadDigest` when the client stated another checksum than the bytes have. */
export function checkDigest(algorithm: Algorithm, stated: string, computed: string): void {
  if (stated !== computed) {
    throw new S3Error("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
  }
}

/** The algorithm a header names, in any case. Throws `InvalidRequest` on others. */
export function readAlgorithm(name: string): Algorithm {
  const algorithm = Algorithm.safeParse(name.toUpperCase());
  if (!algorithm.success) {
    throw new S3Error(
      "InvalidRequest",
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${Algorithm.options.join(", ")}]`,
    );
  }
  return algorithm.data;
}

/** The headers that tell a client a stored checksum. */
export function checksumHeaders({ algorithm, value, type }: Checksum): Record<string, string> {
  return { [checksumHeader(algorithm)]: value, "x-amz-checksum-type": type };
}
