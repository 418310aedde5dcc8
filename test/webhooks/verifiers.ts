import { verifyWebhook } from "@plantain/client/webhook";
import { WebhookVerificationError as OurError } from "@plantain/client/webhook-error";
import type { SignedHeaders } from "@plantain/core/webhook/signature";
import OpenAI, { InvalidWebhookSignatureError } from "openai";
import { validateWebhook } from "replicate";
import * as standardwebhooks from "standardwebhooks";
import * as svix from "svix";

/*
 * Five ways to verify a webhook, four of them not ours. A refusal is an error that the library documents, or `false`; any
 * other error fails the test.
 */

export type Received = { readonly body: string; readonly headers: SignedHeaders; readonly secret: string };

const openai = new OpenAI({ apiKey: "never sent" });

export const verifiers = {
  "@plantain/client": async ({ body, headers, secret }: Received) =>
    isTaken(() => verifyWebhook(body, headers, secret), OurError),
  standardwebhooks: async ({ body, headers, secret }: Received) =>
    isTaken(
      () => new standardwebhooks.Webhook(secret).verify(body, headers),
      standardwebhooks.WebhookVerificationError,
    ),
  svix: async ({ body, headers, secret }: Received) =>
    isTaken(() => new svix.Webhook(secret).verify(body, headers), svix.WebhookVerificationError),
  replicate: async ({ body, headers, secret }: Received) =>
    validateWebhook({
      id: headers["webhook-id"],
      timestamp: headers["webhook-timestamp"],
      signature: headers["webhook-signature"],
      body,
      secret,
    }),
  openai: async ({ body, headers, secret }: Received) =>
    isTaken(() => openai.webhooks.unwrap(body, { ...headers }, secret), InvalidWebhookSignatureError),
};

async function isTaken(verify: () => unknown, refusal: new (...args: never[]) => Error): Promise<boolean> {
  try {
    await verify();
    return true;
  } catch (error) {
    if (error instanceof refusal) return false;
    throw error;
  }
}

/** Who takes a request, in the order above. */
export async function takenBy(received: Received): Promise<string[]> {
  const taken = await Promise.all(
    Object.entries(verifiers).map(async ([name, accepts]) => ((await accepts(received)) ? [name] : [])),
  );
  return taken.flat();
}
