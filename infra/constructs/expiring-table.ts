import { tableKey } from "@plantain/aws/table";
import { RemovalPolicy } from "aws-cdk-lib";
import {
  AttributeType,
  Billing,
  type GlobalSecondaryIndexPropsV2,
  TableEncryptionV2,
  TableV2,
} from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";

export interface ExpiringTableProps {
  /** Whether the table outlives its stack and refuses deletion. */
  readonly keep: boolean;
  readonly indexes?: readonly GlobalSecondaryIndexPropsV2[];
}

/** An on-demand table with the common key, whose items go away by themselves once `expiresAt` has passed. */
export class ExpiringTable extends TableV2 {
  constructor(scope: Construct, id: string, { keep, indexes }: ExpiringTableProps) {
    super(scope, id, {
      partitionKey: { name: tableKey.partition, type: AttributeType.STRING },
      sortKey: { name: tableKey.sort, type: AttributeType.STRING },
      timeToLiveAttribute: tableKey.expiry,
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: keep,
      removalPolicy: keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(indexes === undefined ? {} : { globalSecondaryIndexes: [...indexes] }),
    });
  }
}
