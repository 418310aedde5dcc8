import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/**
 * A service that says nothing for so long won't any more: the SDK asks again, where by itself it would wait for ever, and
 * hold up a sweep with its other jobs, or a worker with its batch.
 */
const requestHandler = { connectionTimeout: 3_000, socketTimeout: 10_000 };

/** Clients that find region, credentials and endpoints in the environment, as Lambda sets them. */
export function connectDynamo(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient({ requestHandler }));
}

export function connectSqs(): SQSClient {
  return new SQSClient({ requestHandler });
}

/** Uploads carry the SHA-256 that is known anyway, and signed URLs should ask for nothing that a browser ignores. */
export function connectS3(): S3Client {
  return new S3Client({
    requestHandler,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}

export function connectSsm(): SSMClient {
  return new SSMClient({ requestHandler });
}
