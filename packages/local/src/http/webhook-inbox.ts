import type { IncomingHttpHeaders } from "node:http";
import { secretsAt } from "@plantain/core/webhook/endpoint";
import type { Endpoints } from "@plantain/core/webhook/ports";
import { isSecret, type Secret, signatures } from "@plantain/core/webhook/signature";
import { tenant } from "../api-key.ts";
import { type Answer, gatewayAnswer, jsonAnswer } from "./answer.ts";

type Received = {
  readonly received_at: string;
  readonly path: string;
  readonly webhook_id: string | null;
  readonly webhook_timestamp: string | null;
  readonly verified: boolean;
  readonly body: unknown;
};

export type WebhookInbox = {
  /** Takes a delivery, or lists what came: the answer to a request under `/__dev/webhooks`. */
  answer(request: InboxRequest): Promise<Answer>;
};

export type InboxRequest = {
  readonly method: string | undefined;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

const mostKept = 100;

/**
 * A receiver to try webhooks with. `POST /__dev/webhooks` takes a delivery, with `?secret=` for a job's own; `GET` lists the
 * latest hundred, newest first, each with whether its signature holds; `DELETE` forgets them.
 * @param endpoints whose secrets are tried
 */
export function webhookInbox(endpoints: Endpoints): WebhookInbox {
  const kept: Received[] = [];
  return {
    async answer({ method, url, headers, body }) {
      if (method === "GET") return jsonAnswer(200, { webhooks: kept });
      if (method === "DELETE") {
        kept.length = 0;
        return jsonAnswer(200, { webhooks: kept });
      }
      if (method !== "POST") return gatewayAnswer(405, "Method Not Allowed");
      const { pathname, searchParams } = new URL(url, "http://localhost");
      const own = searchParams.get("secret") ?? "";
      const secrets = isSecret(own) ? [own] : await knownSecrets(endpoints);
      kept.unshift({
        received_at: new Date().toISOString(),
        path: pathname,
        webhook_id: first(headers["webhook-id"]),
        webhook_timestamp: first(headers["webhook-timestamp"]),
        verified: isVerified(headers, body, secrets),
        body: parsed(body),
      });
      kept.length = Math.min(kept.length, mostKept);
      return jsonAnswer(200, { received: true });
    },
  };
}

async function knownSecrets(endpoints: Endpoints): Promise<readonly Secret[]> {
  const signer = await endpoints.loadSigner(tenant);
  const signers = [...(await endpoints.list(tenant)), ...(signer ? [signer] : [])];
  return signers.flatMap((each) => secretsAt(each, Date.now()));
}

function isVerified(headers: IncomingHttpHeaders, body: Buffer, secrets: readonly Secret[]): boolean {
  const id = first(headers["webhook-id"]) ?? "";
  const timestampSeconds = Number(first(headers["webhook-timestamp"]) ?? Number.NaN);
  const given = (first(headers["webhook-signature"]) ?? "").split(" ");
  try {
    return secrets.some((secret) =>
      given.includes(signatures({ id, timestampSeconds, body, secrets: [secret], signingKeys: [] })),
    );
  } catch (error) {
    if (error instanceof RangeError) return false; // nothing that we would sign
    throw error;
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return body.toString();
  }
}

function first(header: string | string[] | undefined): string | null {
  return [header].flat()[0] ?? null;
}
