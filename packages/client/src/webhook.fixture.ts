import { createHmac } from "node:crypto";

/** The second at which everything here was sent. */
export const sentAt = 1_790_000_000;
export const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
export const ping =
  '{"type":"ping","timestamp":"2026-09-21T14:13:20.000Z","data":{"object":"ping","endpoint":"ep_1"}}';

/** A request as Plantain signs it, by an implementation of the test's own. */
export function signedRequest(body: string, by = secret) {
  const id = "dlv_01m84jgx16f7d9g2yybxgd18cc";
  const key = Buffer.from(by.replace("whsec_", ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${sentAt}.${body}`).digest("base64");
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": String(sentAt),
    "webhook-signature": `v1,${signature}`,
  };
  return { id, body, headers };
}
