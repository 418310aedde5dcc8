import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { SignedUrls } from "@plantain/core/job/ports";

/** One signing time for five minutes: the same URL, so that a strong ETag over an answer that shows it is honest. */
export const signingStepMs = 300_000;
const validMs = 900_000;

/** Presigned GETs. They end with the signer's session, so they are made at each read and never kept. */
export function s3SignedUrls(client: S3Client, bucket: string): SignedUrls {
  return {
    async sign(key, at, fileName) {
      const signedAt = Math.floor(at / signingStepMs) * signingStepMs;
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ResponseContentDisposition: `inline; filename="${fileName}"`,
      });
      const url = await getSignedUrl(client, command, {
        signingDate: new Date(signedAt),
        expiresIn: validMs / 1000,
      });
      return { url, expiresAt: signedAt + validMs };
    },
  };
}
