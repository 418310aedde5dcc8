import { verifyWebhook } from "@plantain/client/webhook";
import { WebhookVerificationError } from "@plantain/client/webhook-error";
import express, { type ErrorRequestHandler } from "express";

const { PLANTAIN_WEBHOOK_SECRET = "", PORT = "3000" } = process.env;
const done = new Set<string>(); // Rather in your database, beside what the event changes there
const app = express();

// Before any express.json(): what is signed are the bytes, not the object they are parsed to
app.post("/webhooks/plantain", express.raw({ type: "application/json" }), (request, response) => {
  const event = verifyWebhook(request.body, request.headers, PLANTAIN_WEBHOOK_SECRET);
  if (!done.has(event.id)) {
    if (event.type === "job.succeeded")
      console.log(`${event.data.id} has ${event.data.images.length} images`);
    if (event.type === "job.failed") console.log(`${event.data.id} failed: ${event.data.error.message}`);
    done.add(event.id);
  }
  response.status(204).end();
});

const refuse: ErrorRequestHandler = (error, _request, response, next) => {
  if (error instanceof WebhookVerificationError) response.status(400).send(error.code);
  else next(error);
};
app.use(refuse);

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : address;
  console.log(`Listening on http://127.0.0.1:${port}/webhooks/plantain`);
});
