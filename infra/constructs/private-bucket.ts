import { Duration, RemovalPolicy } from "aws-cdk-lib";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CorsRule,
  type LifecycleRule,
  ObjectOwnership,
} from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";

export interface PrivateBucketProps {
  readonly expiry: readonly LifecycleRule[];
  /** Whether the bucket outlives its stack. A bucket that does not must be empty before the stack is deleted. */
  readonly keep: boolean;
  readonly cors?: readonly CorsRule[];
  /** Where requests are logged; a bucket without it is where others log. */
  readonly accessLogs?: PrivateBucket;
}

/** A bucket that answers only signed requests over TLS, and forgets objects on time. */
export class PrivateBucket extends Bucket {
  constructor(scope: Construct, id: string, { expiry, keep, cors, accessLogs }: PrivateBucketProps) {
    super(scope, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      lifecycleRules: [...expiry, { abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      ...(cors === undefined ? {} : { cors: [...cors] }),
      ...(accessLogs === undefined ? {} : { serverAccessLogsBucket: accessLogs }),
    });
  }

  /** CDK's own type admits `undefined`, which under exactOptionalPropertyTypes keeps a `Bucket` from being an `IBucket`. */
  override get isWebsite(): false {
    return false;
  }
}
