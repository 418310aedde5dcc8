import { Readable } from "node:stream";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { Bytes, Objects } from "@plantain/core/job/ports";

/** Objects in one S3 bucket. S3 itself checks each upload against its SHA-256, and keeps it. */
export function s3Objects(client: S3Client, bucket: string): Objects {
  return {
    async put(key, bytes, { mediaType, sha256 }) {
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: body(bytes),
            ContentLength: bytes.reduce((sum, piece) => sum + piece.length, 0),
            ContentType: mediaType,
            ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
            IfNoneMatch: "*",
          }),
        );
      } catch (error) {
        if (!isStatus(error, 412)) throw error;
        await assertSame(client, bucket, key, sha256);
      }
    },

    async get(key) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return (await Body?.transformToByteArray()) ?? null;
      } catch (error) {
        if (isStatus(error, 404)) return null;
        // To who may list only some prefixes, S3 may call an absent object forbidden
        if (isStatus(error, 403) && (await listedSize(client, bucket, key)) === null) return null;
        throw error;
      }
    },

    size: (key) => listedSize(client, bucket, key),

    async list(prefix) {
      const keys: string[] = [];
      let token: string | undefined;
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        );
        keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
        token = page.NextContinuationToken;
      } while (token !== undefined);
      return keys;
    },

    async remove(keys) {
      for (let from = 0; from < keys.length; from += mostRemoved) {
        const some = keys.slice(from, from + mostRemoved);
        const { Errors = [] } = await client.send(
          new DeleteObjectsCommand({
            Bucket: bucket,
            Delete: { Objects: some.map((Key) => ({ Key })), Quiet: true },
          }),
        );
        const [first] = Errors;
        if (first)
          throw new Error(`Cannot remove ${Errors.length} objects, among them "${first.Key}": ${first.Code}`);
      }
    },
  };
}

/** Objects that S3 removes by one request. */
const mostRemoved = 1_000;

/** One piece goes as it is, and can be sent again by the SDK; several go as a stream, so that they are not copied. */
function body(bytes: Bytes): Uint8Array | Readable {
  const [first, ...rest] = bytes;
  return rest.length === 0 ? (first ?? new Uint8Array()) : Readable.from(bytes);
}

async function listedSize(client: S3Client, bucket: string, key: string): Promise<number | null> {
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }), // in order, so the key itself comes first
  );
  const [first] = Contents;
  return first?.Key === key ? (first.Size ?? 0) : null;
}

/** A key is written once. Finding our own bytes there means that an earlier try came through after all. */
async function assertSame(client: S3Client, bucket: string, key: string, sha256: string): Promise<void> {
  const { ChecksumSHA256 } = await client.send(
    new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }),
  );
  if (ChecksumSHA256 === undefined || Buffer.from(ChecksumSHA256, "base64").toString("hex") !== sha256) {
    throw new Error(`Cannot store object "${key}": other bytes are there already`);
  }
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === status;
}
