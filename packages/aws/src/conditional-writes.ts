import { setTimeout as sleep } from "node:timers/promises";
import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DeleteCommandInput,
  type DynamoDBDocumentClient,
  PutCommand,
  type PutCommandInput,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";

export type Item = Record<string, unknown>;
export type TransactItem = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];

/** Why a conditional write was not made: by position in the transaction, the item that was there instead. */
export type Lost = readonly (Item | undefined)[];

/** A put that tells, when its condition fails, what is there. `null` when written. */
export async function putIf(
  client: DynamoDBDocumentClient,
  put: PutCommandInput & { ConditionExpression: string },
): Promise<Lost | null> {
  const command = new PutCommand({ ...put, ReturnValuesOnConditionCheckFailure: "ALL_OLD" });
  return sendIf(() => client.send(command));
}

async function sendIf(send: () => Promise<unknown>): Promise<Lost | null> {
  try {
    await whileContended((error) => error instanceof TransactionConflictException, send);
    return null;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return [error.Item ? unmarshall(error.Item) : undefined];
  }
}

/** An update that tells, when its condition fails, what is there. `null` when written. */
export async function updateIf(
  client: DynamoDBDocumentClient,
  update: UpdateCommandInput & { ConditionExpression: string },
): Promise<Lost | null> {
  const command = new UpdateCommand({ ...update, ReturnValuesOnConditionCheckFailure: "ALL_OLD" });
  return sendIf(() => client.send(command));
}

/** A removal that tells, when its condition fails, what is there. `null` when removed. */
export async function deleteIf(
  client: DynamoDBDocumentClient,
  removal: DeleteCommandInput & { ConditionExpression: string },
): Promise<Lost | null> {
  const command = new DeleteCommand({ ...removal, ReturnValuesOnConditionCheckFailure: "ALL_OLD" });
  return sendIf(() => client.send(command));
}

/**
 * All items or none. `null` when written; else, where a condition failed, what was there instead.
 * @param token makes a repeated request count once for ten minutes
 */
export async function transact(
  client: DynamoDBDocumentClient,
  items: TransactItem[],
  token: string,
): Promise<Lost | null> {
  const command = new TransactWriteCommand({ TransactItems: items, ClientRequestToken: token });
  try {
    await whileContended(isTransactionConflict, () => client.send(command));
    return null;
  } catch (error) {
    if (!failedCheck(error)) throw error;
    return reasonsOf(error).map(({ Item }) => (Item ? unmarshall(Item) : undefined));
  }
}

function reasonsOf(error: unknown) {
  return error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
}

function failedCheck(error: unknown): boolean {
  return reasonsOf(error).some(({ Code }) => Code === "ConditionalCheckFailed");
}

function isTransactionConflict(error: unknown): boolean {
  return !failedCheck(error) && reasonsOf(error).some(({ Code }) => Code === "TransactionConflict");
}

const tries = 6;
const firstWaitMs = 20;

/**
 * Repeats a request that lost to a concurrent transaction on the same item: DynamoDB refuses both and decides nothing,
 * and the SDK doesn't retry that. Everything else, and a conflict that doesn't end, is thrown.
 */
async function whileContended<T>(
  isContention: (error: unknown) => boolean,
  request: () => Promise<T>,
): Promise<T> {
  for (let spent = 1; ; spent += 1) {
    try {
      return await request();
    } catch (error) {
      if (spent >= tries || !isContention(error)) throw error;
      await sleep(Math.random() * firstWaitMs * 2 ** spent);
    }
  }
}
