import { randomUUID } from "node:crypto";
import { type DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { DomainError } from "@plantain/core/error";
import type { Delivery } from "@plantain/core/webhook/delivery";
import { type DeliveryId, isDeliveryId } from "@plantain/core/webhook/ids";
import type { Deliveries, Stored } from "@plantain/core/webhook/ports";
import { type Item, putIf, transact } from "./conditional-writes.ts";
import {
  announcementItems,
  deliveryIn,
  deliveryItem,
  deliveryKey,
  deliveryShard,
  endpointKey,
  eventKey,
  eventOrderKey,
  eventSortKey,
  isDeliveryItem,
  type Key,
  parseDelivery,
  parseEvent,
  parseTry,
  triesPrefix,
  tryItem,
} from "./delivery-items.ts";
import { queryAll } from "./query-all.ts";
import { jobsIndex } from "./table.ts";

/** Events and deliveries in the jobs' table: every change is one conditional write on the version that it follows. */
export function dynamoDeliveries(client: DynamoDBDocumentClient, table: string): Deliveries {
  const get = async (key: Key) =>
    (await client.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true }))).Item;
  const load = async (id: DeliveryId) => {
    const item = await get(deliveryKey(id));
    return item ? parseDelivery(item) : null;
  };
  return {
    load,

    async announce(announcement) {
      const [first, ...others] = announcementItems(table, announcement);
      const event = {
        Put: {
          ...first?.Put,
          TableName: table,
          Item: first?.Put?.Item,
          ConditionExpression: "attribute_not_exists(pk)",
        },
      };
      await transact(client, [event, ...others], randomUUID());
    },

    async read(id) {
      const { pk, sk } = deliveryKey(id);
      const [event, items] = await Promise.all([
        get({ pk, sk: eventSortKey }),
        queryAll(client, {
          TableName: table,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
          ExpressionAttributeValues: { ":pk": pk, ":sk": sk },
          ConsistentRead: true,
        }),
      ]);
      const delivery = items.find((item) => item.sk === sk);
      if (!event || !delivery) return null;
      const tries = items.filter((item) => String(item.sk).startsWith(triesPrefix(id))).map(parseTry);
      return { delivery: parseDelivery(delivery), event: parseEvent(event), tries };
    },

    async loadEvent(id) {
      const item = await get(eventKey(id));
      return item ? parseEvent(item) : null;
    },

    async write(from, to, ended) {
      const writeId = randomUUID();
      const put = {
        TableName: table,
        Item: deliveryItem(to, writeId),
        ConditionExpression: "version = :version",
        ExpressionAttributeValues: { ":version": from.version },
      };
      const lost = ended
        ? await transact(
            client,
            [
              { Put: { ...put, ReturnValuesOnConditionCheckFailure: "ALL_OLD" } },
              { Put: { TableName: table, Item: tryItem(to, ended) } },
            ],
            writeId,
          )
        : await putIf(client, put);
      return lost ? lostTo(lost[0], writeId) : { written: true };
    },

    async ofEvent(id) {
      const { pk } = eventKey(id);
      const items = await queryAll(client, {
        TableName: table,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues: { ":pk": pk, ":sk": "DLV#" },
        ConsistentRead: true,
      });
      return items.filter(isDeliveryItem).map(parseDelivery);
    },

    async ofDestination({ tenant, destination, since, cursor, limit }) {
      const partition = endpointKey(tenant, destination);
      const first = eventOrderKey(since, "");
      const after = cursor === null ? null : readCursor(cursor);
      // DynamoDB refuses to start outside of what is asked for; the page before may have ended there
      if (after !== null && after < first) return { deliveries: [], next: null };
      const found = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: jobsIndex.byEndpoint.name,
          KeyConditionExpression: "endpointKey = :endpoint AND eventKey >= :since",
          ExpressionAttributeValues: { ":endpoint": partition, ":since": first },
          ScanIndexForward: false,
          Limit: limit,
          ...(after === null ? {} : { ExclusiveStartKey: startKey(partition, after) }),
        }),
      );
      const keys = (found.Items ?? []).map(({ eventKey: key }) => String(key));
      const loaded = await Promise.all((found.Items ?? []).map((item) => load(deliveryIn(item))));
      const last = keys.at(-1);
      return {
        deliveries: loaded.flatMap((delivery) => delivery ?? []),
        next: last !== undefined && found.LastEvaluatedKey ? Buffer.from(last).toString("base64url") : null,
      };
    },

    async due(shard, at, limit) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: jobsIndex.byDue.name,
          KeyConditionExpression: "dueShard = :shard AND dueAt <= :at",
          ExpressionAttributeValues: { ":shard": deliveryShard(shard), ":at": at },
          Limit: limit,
        }),
      );
      return Items.map((item) => ({ id: deliveryIn(item), dueAt: Number(item.dueAt) }));
    },
  };
}

function lostTo(item: Item | undefined, writeId: string): Stored<Delivery> {
  if (!item) return { written: false, current: null };
  return item.writeId === writeId ? { written: true } : { written: false, current: parseDelivery(item) };
}

function startKey(partition: string, key: string): Item {
  const id = key.slice(key.indexOf("#") + 1);
  if (!isDeliveryId(id)) throw invalidCursor();
  return { ...deliveryKey(id), endpointKey: partition, eventKey: key };
}

function readCursor(cursor: string): string {
  const key = Buffer.from(cursor, "base64url").toString();
  if (/^\d{15}#dlv_/.test(key)) return key;
  throw invalidCursor();
}

function invalidCursor(): DomainError {
  return new DomainError(
    "invalid_cursor",
    "This cursor is none that a list gave; use the `next_cursor` of a page",
    { field: "cursor" },
  );
}
