import { randomUUID } from "node:crypto";
import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { type Endpoint, mostEndpoints, publicKeysOf, type Signer } from "@plantain/core/webhook/endpoint";
import { disabledReasons, subscribableTypes } from "@plantain/core/webhook/event";
import { type EndpointId, isDeliveryId, isEndpointId } from "@plantain/core/webhook/ids";
import type { Endpoints } from "@plantain/core/webhook/ports";
import { isSecret, isSigningKey, type PublicKey } from "@plantain/core/webhook/signature";
import * as z from "zod";
import { type Item, type TransactItem, transact } from "./conditional-writes.ts";
import { announcementItems } from "./delivery-items.ts";
import { queryAll } from "./query-all.ts";
import { endpointsPrefix } from "./table.ts";

const Time = z.number().int();

const SignerItem = z.object({
  id: z.string().refine(isEndpointId, "Not an endpoint id"),
  tenant: z.string(),
  secrets: z.array(z.object({ secret: z.string().refine(isSecret, "Not a secret"), until: Time.nullable() })),
  signingKeys: z.array(
    z.object({ key: z.string().refine(isSigningKey, "Not a signing key"), until: Time.nullable() }),
  ),
  createdAt: Time,
  version: z.number().int(),
});

const EndpointItem = SignerItem.extend({
  url: z.string(),
  events: z.array(z.enum(subscribableTypes)),
  description: z.string(),
  disabled: z.object({ at: Time, reason: z.enum(disabledReasons) }).nullable(),
  lane: z.enum(["fast", "slow"]),
  failingSince: Time.nullable(),
  slot: z.object({ delivery: z.string().refine(isDeliveryId, "Not a delivery id"), until: Time }).nullable(),
});

const PublicItem = z.object({
  keys: z.array(
    z.object({
      publicKey: z.custom<PublicKey>((value) => typeof value === "string" && value.startsWith("whpk_")),
      until: Time.nullable(),
    }),
  ),
});

/**
 * Endpoints in the tenants' table, a tenant's in one partition, what signs for its jobs' own URLs there as DEFAULT, and how
 * many endpoints there are as COUNT, which changes with them in one transaction. The public halves of its keys lie by themselves under the endpoint's id: who verifies doesn't know the tenant.
 * @param jobs the table that events go to
 */
export function dynamoEndpoints(client: DynamoDBDocumentClient, table: string, jobs: string): Endpoints {
  const get = async (key: Item) =>
    (await client.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true }))).Item;

  /** Stores a signer if the version that is there is this one, `null` for none, with what else has to be stored with it. */
  const put = async (to: Signer, sk: string, version: number | null, also: TransactItem[]) => {
    const writeId = randomUUID();
    const lost = await transact(
      client,
      [
        {
          Put: {
            TableName: table,
            Item: { ...to, pk: ofTenant(to.tenant), sk, writeId },
            ...(version === null
              ? { ConditionExpression: "attribute_not_exists(pk)" }
              : {
                  ConditionExpression: "version = :version",
                  ExpressionAttributeValues: { ":version": version },
                }),
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          },
        },
        ...also,
      ],
      writeId,
    );
    // An answer that was lost: what is there is ours
    return lost && lost[0]?.writeId !== writeId ? { lost: lost[0] } : null;
  };
  const countItem = (
    tenant: string,
    update: Omit<NonNullable<TransactItem["Update"]>, "TableName" | "Key">,
  ): TransactItem => ({
    Update: { TableName: table, Key: { pk: ofTenant(tenant), sk: "COUNT" }, ...update },
  });
  const publicItem = (signer: Signer): TransactItem => ({
    Put: {
      TableName: table,
      Item: { ...publicKeyKey(signer.id), keys: publicKeysOf(signer) },
    },
  });
  /** What is published changes with the key that signs. */
  const publicItemIfNew = (from: Signer | null, to: Signer) =>
    from?.signingKeys[0]?.key === to.signingKeys[0]?.key ? [] : [publicItem(to)];

  return {
    async list(tenant) {
      const items = await queryAll(client, {
        TableName: table,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues: { ":pk": ofTenant(tenant), ":sk": "ep_" },
        ConsistentRead: true,
      });
      return items.map((item) => EndpointItem.parse(item));
    },

    async load(tenant, id) {
      const item = await get({ pk: ofTenant(tenant), sk: id });
      return item ? EndpointItem.parse(item) : null;
    },

    async create(endpoint) {
      const counted = countItem(endpoint.tenant, {
        UpdateExpression: "ADD endpoints :one",
        ConditionExpression: "attribute_not_exists(endpoints) OR endpoints < :most",
        ExpressionAttributeValues: { ":one": 1, ":most": mostEndpoints },
      });
      const failed = await put(endpoint, endpoint.id, null, [publicItem(endpoint), counted]);
      if (failed?.lost) throw new Error(`Cannot create endpoint "${endpoint.id}": it is there`);
      return failed === null;
    },

    async write(from, to, announcement) {
      const announced = announcement ? announcementItems(jobs, announcement) : [];
      const failed = await put(to, to.id, from.version, [...publicItemIfNew(from, to), ...announced]);
      if (!failed) return { written: true };
      return { written: false, current: failed.lost ? EndpointItem.parse(failed.lost) : null };
    },

    async remove({ tenant, id }: Endpoint) {
      const counted = countItem(tenant, {
        UpdateExpression: "ADD endpoints :less",
        ExpressionAttributeValues: { ":less": -1 },
      });
      const own = {
        TableName: table,
        Key: { pk: ofTenant(tenant), sk: id },
        ConditionExpression: "attribute_exists(pk)",
      };
      // One that isn't there any more was counted out before
      await transact(
        client,
        [{ Delete: own }, { Delete: { TableName: table, Key: publicKeyKey(id) } }, counted],
        randomUUID(),
      );
    },

    async loadSigner(tenant) {
      const item = await get({ pk: ofTenant(tenant), sk: defaultSigner });
      return item ? SignerItem.parse(item) : null;
    },

    async writeSigner(from, to) {
      const failed = await put(to, defaultSigner, from?.version ?? null, publicItemIfNew(from, to));
      if (!failed) return { written: true };
      return { written: false, current: failed.lost ? SignerItem.parse(failed.lost) : null };
    },

    async publicKeys(id) {
      const item = await get(publicKeyKey(id));
      return item ? PublicItem.parse(item).keys : [];
    },
  };
}

const defaultSigner = "DEFAULT";

function ofTenant(tenant: string): string {
  return `${endpointsPrefix}${tenant}`;
}

/** Tenants have no underscore in their name, endpoints have. */
function publicKeyKey(id: EndpointId): Item {
  return { pk: `${endpointsPrefix}${id}`, sk: "PUBLIC" };
}
