/** The one region and account that exist locally. */
export const region = "us-east-1";
export const account = "000000000000";

export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** How SDK clients reach the local servers. */
export type Access = {
  readonly region: string;
  readonly credentials: Credentials;
};

/** Foreign servers that stand in for the embedded ones, as the SDK names them in its environment. */
export type ForeignEndpoints = {
  readonly dynamodb: string | undefined;
  readonly sqs: string | undefined;
  readonly s3: string | undefined;
};

/** Reads `AWS_ENDPOINT_URL_DYNAMODB`, `…_SQS` and `…_S3`. */
export function foreignEndpoints(environment: NodeJS.ProcessEnv): ForeignEndpoints {
  return {
    dynamodb: environment.AWS_ENDPOINT_URL_DYNAMODB,
    sqs: environment.AWS_ENDPOINT_URL_SQS,
    s3: environment.AWS_ENDPOINT_URL_S3,
  };
}

/**
 * Credentials for all servers: stand-ins, so that real ones are never sent anywhere, unless a foreign server was asked
 * for, which may check the user's.
 */
export function credentialsFor(foreign: ForeignEndpoints, environment: NodeJS.ProcessEnv): Credentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const asked = Object.values(foreign).some((endpoint) => endpoint !== undefined);
  if (asked && accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  return { accessKeyId: "local", secretAccessKey: "local-secret" };
}
