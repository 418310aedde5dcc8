import { accessSync, constants, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Bucket, openBucket } from "./bucket.ts";
import type { Algorithm } from "./checksum.ts";
import type { IncomingBody } from "./incoming-body.ts";
import { INCOMING_NAME, type IncomingFile, receiveFile } from "./incoming-file.ts";
import { S3Error } from "./s3-error.ts";

export type ObjectStore = {
  /** Throws `NoSuchBucket`. */
  bucket(name: string): Bucket;
  /** Creates a bucket unless it exists. Throws `InvalidBucketName`. */
  createBucket(name: string): void;
  /** Stores bytes aside, verified, until they are published as an object or a part. */
  receive(body: IncomingBody, algorithm?: Algorithm): Promise<IncomingFile>;
};

const BUCKET_NAME = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Opens the store kept in `dir`: `buckets/<name>/` (see `openBucket`) and `incoming/` for bodies under way, which
 * is emptied here since nothing in it was ever visible. Buckets found on disk exist again.
 * Throws when the directory cannot be written.
 */
export function openObjectStore(dir: string, now: () => number): ObjectStore {
  const incoming = join(dir, "incoming");
  const bucketsDir = join(dir, "buckets");
  prepare(dir, [incoming, bucketsDir]);
  for (const name of readdirSync(incoming)) {
    if (INCOMING_NAME.test(name)) rmSync(join(incoming, name), { force: true });
  }
  const buckets = new Map<string, Bucket>(
    readdirSync(bucketsDir)
      .filter((name) => BUCKET_NAME.test(name))
      .map((name) => [name, openBucket(join(bucketsDir, name), now)]),
  );
  return {
    bucket(name) {
      const bucket = buckets.get(name);
      if (bucket === undefined) {
        throw new S3Error("NoSuchBucket", "The specified bucket does not exist", { BucketName: name });
      }
      return bucket;
    },
    createBucket(name) {
      if (!BUCKET_NAME.test(name)) {
        throw new S3Error("InvalidBucketName", "The specified bucket is not valid.", { BucketName: name });
      }
      if (!buckets.has(name)) buckets.set(name, openBucket(join(bucketsDir, name), now));
    },
    receive: (body, algorithm) => receiveFile(incoming, body, algorithm),
  };
}

function prepare(dir: string, parts: readonly string[]): void {
  try {
    for (const part of parts) {
      mkdirSync(part, { recursive: true });
      accessSync(part, constants.R_OK | constants.W_OK | constants.X_OK);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot keep S3 objects in "${dir}": ${reason}; choose a directory that this user can create and write`,
      { cause },
    );
  }
}
