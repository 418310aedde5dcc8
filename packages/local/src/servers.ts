import type { Access, ForeignEndpoints } from "./aws/access.ts";
import { createBuckets } from "./aws/buckets.ts";
import { startDynamodb } from "./aws/dynamodb.ts";
import { startSsm } from "./aws/ssm.ts";
import type { Plan } from "./template/plan.ts";

/** A server of our own that runs until it is stopped, or a foreign one that is not ours to stop. */
export type Server = { readonly url: string; stop(): Promise<void> };

/** The embedded DynamoDB, or the foreign one. @param file where tables are kept; without it in memory */
export async function dynamodbServer(foreign: ForeignEndpoints, file: string | undefined): Promise<Server> {
  return foreign.dynamodb === undefined ? startDynamodb(file) : foreignServer(foreign.dynamodb);
}

/** The embedded SQS, or the foreign one. */
export async function sqsServer(foreign: ForeignEndpoints): Promise<Server> {
  if (foreign.sqs !== undefined) return foreignServer(foreign.sqs);
  const { startSqs } = await import("./aws/sqs.ts");
  return startSqs();
}

/** The embedded S3 with the plan's buckets, kept in `folder`, or the foreign one. */
export async function s3Server(
  foreign: ForeignEndpoints,
  access: Access,
  { buckets }: Plan,
  folder: string,
): Promise<Server> {
  if (foreign.s3 !== undefined) {
    await createBuckets(foreign.s3, access, buckets);
    return foreignServer(foreign.s3);
  }
  const { startS3 } = await import("./s3/server.ts");
  return startS3({ dir: folder, buckets, ...access });
}

/** SSM with the Gemini key under every name that a function looks it up by. */
export async function ssmServer({ functions }: Plan, geminiApiKey: string): Promise<Server> {
  const names = functions.flatMap(
    ({ environment }) => environment.GEMINI_API_KEY_PARAMETERS?.split(",") ?? [],
  );
  return startSsm(Object.fromEntries(names.map((name) => [name, geminiApiKey])));
}

function foreignServer(url: string): Server {
  return { url, stop: async () => undefined };
}
