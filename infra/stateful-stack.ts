import { jobsIndex } from "@plantain/aws/table";
import { CfnOutput, Duration, Stack } from "aws-cdk-lib";
import { AttributeType, ProjectionType } from "aws-cdk-lib/aws-dynamodb";
import { type CorsRule, HttpMethods } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { ExpiringTable } from "./constructs/expiring-table.ts";
import { PrivateBucket } from "./constructs/private-bucket.ts";
import type { Stage } from "./stage.ts";

/** Raw uploads are copied to `meta/` when a job uses them. */
const uploadRetention = Duration.days(2);
const accessLogRetention = Duration.days(90);

/** What must not be lost: the tables and the images. Deployed first, changed rarely. */
export class StatefulStack extends Stack {
  readonly jobs: ExpiringTable;
  readonly tenants: ExpiringTable;
  readonly bucket: PrivateBucket;

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id, {
      description: `Plantain ${stage.name}: jobs, tenants and images`,
      terminationProtection: stage.keepData,
      tags: { "plantain:stage": stage.name },
    });
    const keep = stage.keepData;

    this.jobs = new ExpiringTable(this, "Jobs", {
      keep,
      indexes: [
        {
          indexName: jobsIndex.byTenant.name,
          partitionKey: { name: jobsIndex.byTenant.partition, type: AttributeType.STRING },
          sortKey: { name: jobsIndex.byTenant.sort, type: AttributeType.STRING },
          projectionType: ProjectionType.KEYS_ONLY,
        },
        {
          indexName: jobsIndex.byDue.name,
          partitionKey: { name: jobsIndex.byDue.partition, type: AttributeType.STRING },
          sortKey: { name: jobsIndex.byDue.sort, type: AttributeType.NUMBER },
          projectionType: ProjectionType.KEYS_ONLY,
        },
        {
          indexName: jobsIndex.byHeld.name,
          partitionKey: { name: jobsIndex.byHeld.partition, type: AttributeType.STRING },
          sortKey: { name: jobsIndex.byHeld.sort, type: AttributeType.STRING },
          projectionType: ProjectionType.KEYS_ONLY,
        },
        {
          indexName: jobsIndex.byEndpoint.name,
          partitionKey: { name: jobsIndex.byEndpoint.partition, type: AttributeType.STRING },
          sortKey: { name: jobsIndex.byEndpoint.sort, type: AttributeType.STRING },
          projectionType: ProjectionType.KEYS_ONLY,
        },
      ],
    });
    this.tenants = new ExpiringTable(this, "Tenants", { keep });

    const images = Duration.days(stage.imageRetentionDays);
    this.bucket = new PrivateBucket(this, "Images", {
      keep,
      accessLogs: new PrivateBucket(this, "AccessLogs", {
        keep,
        expiry: [{ expiration: accessLogRetention }],
      }),
      expiry: [
        { prefix: "in/", expiration: uploadRetention },
        { prefix: "out/", expiration: images },
        { prefix: "meta/", expiration: images },
      ],
      cors: browserAccess(stage.corsOrigins),
    });

    new CfnOutput(this, "JobsTableName", { value: this.jobs.tableName });
    new CfnOutput(this, "TenantsTableName", { value: this.tenants.tableName });
    new CfnOutput(this, "BucketName", { value: this.bucket.bucketName });
  }
}

function browserAccess(origins: readonly string[]): CorsRule[] {
  if (origins.length === 0) return [];
  return [
    {
      allowedOrigins: [...origins],
      allowedMethods: [HttpMethods.GET, HttpMethods.POST],
      allowedHeaders: ["*"],
      exposedHeaders: ["ETag"],
      maxAge: 3600,
    },
  ];
}
