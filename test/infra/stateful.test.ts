import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import { built, synthesized } from "./synthesized.ts";

const { stateful: prod } = synthesized("prod");
const { stateful: dev } = synthesized("dev");

describe("buckets", () => {
  test("block all public access and own all objects", () => {
    prod.resourceCountIs("AWS::S3::Bucket", 2);
    prod.allResourcesProperties("AWS::S3::Bucket", {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
      BucketEncryption: Match.anyValue(),
    });
  });

  test("refuse requests without TLS", () => {
    prod.resourceCountIs("AWS::S3::BucketPolicy", 2);
    prod.allResourcesProperties("AWS::S3::BucketPolicy", {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: "Deny",
            Action: "s3:*",
            Principal: { AWS: "*" },
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          }),
        ]),
      },
    });
  });

  test("forget uploads after 2 days, images with the stage's retention, and unfinished uploads after one", () => {
    const rules = (days: number) => ({
      LifecycleConfiguration: {
        Rules: Match.arrayEquals([
          { Status: "Enabled", Prefix: "in/", ExpirationInDays: 2 },
          { Status: "Enabled", Prefix: "out/", ExpirationInDays: days },
          { Status: "Enabled", Prefix: "meta/", ExpirationInDays: days },
          { Status: "Enabled", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
        ]),
      },
    });
    prod.hasResourceProperties("AWS::S3::Bucket", rules(30));
    dev.hasResourceProperties("AWS::S3::Bucket", rules(7));
  });

  test("let pages of the configured origins in, and no others", () => {
    dev.resourcePropertiesCountIs(
      "AWS::S3::Bucket",
      {
        CorsConfiguration: {
          CorsRules: [
            Match.objectLike({
              AllowedOrigins: ["http://localhost:3000"],
              AllowedMethods: ["GET", "POST"],
            }),
          ],
        },
      },
      1,
    );
    prod.resourcePropertiesCountIs("AWS::S3::Bucket", { CorsConfiguration: Match.anyValue() }, 0);
  });
});

describe("tables", () => {
  const key = [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ];
  const index = (name: string, partition: string, sort: string) => ({
    IndexName: name,
    KeySchema: [
      { AttributeName: partition, KeyType: "HASH" },
      { AttributeName: sort, KeyType: "RANGE" },
    ],
    Projection: { ProjectionType: "KEYS_ONLY" },
  });

  test("share one key, are paid by request, expire items and can be restored to any second", () => {
    prod.resourceCountIs("AWS::DynamoDB::GlobalTable", 2);
    prod.allResourcesProperties("AWS::DynamoDB::GlobalTable", {
      KeySchema: key,
      BillingMode: "PAY_PER_REQUEST",
      TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
      Replicas: [
        Match.objectLike({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }),
      ],
    });
  });

  test("index jobs by tenant, by what is due and by what holds them, and deliveries by endpoint, with nothing but keys", () => {
    prod.hasResourceProperties("AWS::DynamoDB::GlobalTable", {
      AttributeDefinitions: Match.arrayWith([
        { AttributeName: "tenant", AttributeType: "S" },
        { AttributeName: "createdKey", AttributeType: "S" },
        { AttributeName: "dueShard", AttributeType: "S" },
        { AttributeName: "dueAt", AttributeType: "N" },
      ]),
      GlobalSecondaryIndexes: [
        index("byTenant", "tenant", "createdKey"),
        index("byDue", "dueShard", "dueAt"),
        index("byHeld", "heldKey", "createdKey"),
        index("byEndpoint", "endpointKey", "eventKey"),
      ],
    });
  });
});

describe("data", () => {
  const kept = { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" };

  test("of prod outlives its stack and resists deletion", () => {
    prod.allResources("AWS::DynamoDB::GlobalTable", kept);
    prod.allResources("AWS::S3::Bucket", kept);
    prod.allResourcesProperties("AWS::DynamoDB::GlobalTable", {
      Replicas: [Match.objectLike({ DeletionProtectionEnabled: true })],
    });
    expect(built("prod").stateful.terminationProtection).toBe(true);
  });

  test("of dev goes with its stack", () => {
    dev.allResources("AWS::DynamoDB::GlobalTable", { DeletionPolicy: "Delete" });
    dev.allResources("AWS::S3::Bucket", { DeletionPolicy: "Delete" });
    expect(built("dev").stateful.terminationProtection).toBe(false);
  });
});

test("the names an owner needs are outputs", () => {
  for (const output of ["BucketName", "JobsTableName", "TenantsTableName"]) prod.hasOutput(output, {});
});
