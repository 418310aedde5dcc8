import { CreateBucketCommand, HeadBucketCommand, NotFound, S3Client } from "@aws-sdk/client-s3";
import type { BucketSpec } from "../template/storage.ts";
import type { Access } from "./access.ts";

/** Creates the buckets that are not there on a foreign S3. Its cross-origin rules are its owner's affair. */
export async function createBuckets(
  endpoint: string,
  access: Access,
  buckets: readonly BucketSpec[],
): Promise<void> {
  const client = new S3Client({ endpoint, ...access, forcePathStyle: true });
  try {
    await Promise.all(
      buckets.map(async ({ name }) => {
        if (!(await exists(client, name))) await client.send(new CreateBucketCommand({ Bucket: name }));
      }),
    );
  } finally {
    client.destroy();
  }
}

async function exists(client: S3Client, name: string): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: name }));
    return true;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
}
