import { serve } from "@hono/node-server";
import { verifyWebhook } from "@plantain/client/webhook";
import { WebhookVerificationError } from "@plantain/client/webhook-error";
import { Hono } from "hono";

const { PLANTAIN_WEBHOOK_SECRET = "", PORT = "3000" } = process.env;
const done = new Set<string>(); // Rather in your database, beside what the event changes there
const app = new Hono();

app.post("/webhooks/plantain", async (c) => {
  const body = new Uint8Array(await c.req.arrayBuffer());
  const event = verifyWebhook(body, c.req.raw.headers, PLANTAIN_WEBHOOK_SECRET);
  if (done.has(event.id)) return c.body(null, 204);
  if (event.type === "job.succeeded") console.log(`${event.data.id} has ${event.data.images.length} images`);
  if (event.type === "job.failed") console.log(`${event.data.id} failed: ${event.data.error.message}`);
  done.add(event.id);
  return c.body(null, 204);
});

app.onError((error, c) => {
  if (error instanceof WebhookVerificationError) return c.text(error.code, 400);
  console.error(error);
  return c.text("internal", 500);
});

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(PORT) }, ({ port }) => {
  console.log(`Listening on http://127.0.0.1:${port}/webhooks/plantain`);
});
