import * as z from "zod";
import type { CorsRule } from "../s3/cors.ts";
import type { Template } from "./template.ts";

const KeySchema = z.array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(["HASH", "RANGE"]) }));

const Table = z.object({
  TableName: z.string().optional(),
  AttributeDefinitions: z.array(
    z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(["S", "N", "B"]) }),
  ),
  KeySchema,
  GlobalSecondaryIndexes: z
    .array(
      z.object({
        IndexName: z.string(),
        KeySchema,
        Projection: z.strictObject({
          ProjectionType: z.enum(["ALL", "KEYS_ONLY", "INCLUDE"]),
          NonKeyAttributes: z.array(z.string()).default([]),
        }),
      }),
    )
    .default([]),
  TimeToLiveSpecification: z.strictObject({ AttributeName: z.string(), Enabled: z.boolean() }).optional(),
});

/** A table with its indexes and expiry attribute, in the terms of CreateTable. */
export type TableSpec = { readonly name: string } & Pick<
  z.infer<typeof Table>,
  "AttributeDefinitions" | "KeySchema" | "GlobalSecondaryIndexes" | "TimeToLiveSpecification"
>;

const Bucket = z.object({
  BucketName: z.string().optional(),
  CorsConfiguration: z
    .strictObject({
      CorsRules: z.array(
        z.strictObject({
          AllowedMethods: z.array(z.string()),
          AllowedOrigins: z.array(z.string()),
          AllowedHeaders: z.array(z.string()).optional(),
          ExposedHeaders: z.array(z.string()).optional(),
          MaxAge: z.number().optional(),
        }),
      ),
    })
    .default({ CorsRules: [] }),
});

export type BucketSpec = { readonly name: string; readonly cors: readonly CorsRule[] };

/** The template's tables. */
export function readTables(template: Template): TableSpec[] {
  return template
    .read(["AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"], Table)
    .map(({ resource, properties }) => ({ ...properties, name: template.ref(resource) }));
}

/** The template's buckets with their cross-origin rules. */
export function readBuckets(template: Template): BucketSpec[] {
  return template.read(["AWS::S3::Bucket"], Bucket).map(({ resource, properties }) => ({
    name: template.ref(resource),
    cors: properties.CorsConfiguration.CorsRules.map((rule) => ({
      allowedMethods: rule.AllowedMethods,
      allowedOrigins: rule.AllowedOrigins,
      ...(rule.AllowedHeaders && { allowedHeaders: rule.AllowedHeaders }),
      ...(rule.ExposedHeaders && { exposedHeaders: rule.ExposedHeaders }),
      ...(rule.MaxAge !== undefined && { maxAgeSeconds: rule.MaxAge }),
    })),
  }));
}
