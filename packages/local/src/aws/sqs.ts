import { buildApp } from "fauxqs";
import { region } from "./access.ts";

export type SqsServer = { readonly url: string; stop(): Promise<void> };

/** Starts the embedded SQS on a free port of 127.0.0.1. Messages are in memory: what is open is sent again by the sweep. */
export async function startSqs(): Promise<SqsServer> {
  const app = buildApp({ logger: false, defaultRegion: region });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return { url, stop: () => app.close() };
}
