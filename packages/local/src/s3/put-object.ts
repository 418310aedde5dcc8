import type { Answer } from "./answer.ts";
import type { Payload } from "./authentication.ts";
import { checksumHeaders } from "./checksum.ts";
import { readWriteCondition } from "./conditions.ts";
import type { Context } from "./context.ts";
import { incomingBody } from "./incoming-body.ts";
import { storedHeaders } from "./object-record.ts";
import type { S3Request } from "./request.ts";

export async function putObject({ store }: Context, request: S3Request, payload: Payload): Promise<Answer> {
  const bucket = store.bucket(request.bucket);
  const headers = storedHeaders(request.headers);
  const body = incomingBody(request, payload);
  const guard = bucket.guard(request.key, readWriteCondition(request.headers));
  try {
    const record = bucket.publish(guard, await store.receive(body), { headers });
    return {
      status: 200,
      headers: {
        etag: `"${record.etag}"`,
        "x-amz-server-side-encryption": "AES256",
        ...checksumHeaders(record.checksum),
      },
    };
  } finally {
    guard.release();
  }
}
