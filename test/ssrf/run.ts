/** Runs every case once against the code that it stands beside, and prints what came of each as JSON. */
import { once } from "node:events";
import { connect, isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type HttpClient, httpClient } from "@plantain/http/client";
import { certificateAuthority } from "@plantain/http/fixtures/certificate";
import { dnsServer } from "@plantain/http/fixtures/dns-server";
import { canary } from "./canary.ts";
import { type Case, evil, good, impostor, type Outcome } from "./cases.ts";
import type { Result } from "./verdict.ts";
import { zone } from "./zone.ts";

const { ca, issue } = certificateAuthority();
const server = await canary(issue(...new Set([...evil, ...good].flatMap(certified))));
const names = await dnsServer(zone());
const options = { ca, nameServers: [names.address] };
const clients: Record<Case["client"], HttpClient> = {
  strict: httpClient(options),
  loopback: httpClient({ ...options, allowLoopback: true }),
  deceived: httpClient({
    ...options,
    async dial({ port }) {
      const socket = connect({ host: "10.0.0.1", port });
      await once(socket, "connect");
      return socket;
    },
  }),
};

const results: Result[] = [];
for (const each of [...evil, ...good]) {
  const outcomes: Outcome[] = [];
  for (const _ of each.outcomes) outcomes.push(await outcomeOf(each));
  await sleep(5); // for the canary to see what a closed connection was
  results.push({ outcomes, ...server.take() });
}
console.log(JSON.stringify(results));
server.close();
await names.close();

async function outcomeOf({ url, client, method }: Case): Promise<Outcome> {
  try {
    if (method === "download") {
      const file = await clients[client].download({ url, maxBytes: 1_000, timeoutMs: 2_000 });
      return file.type === "failed" ? file.code : `answered ${file.type === "refused" ? file.status : 200}`;
    }
    const answer = await clients[client].send({ url, headers: {}, body: "{}", timeoutMs: 2_000 });
    return answer.type === "failed" ? answer.code : `answered ${answer.status}`;
  } catch {
    return "threw"; // as a mutant may
  }
}

/** The server has a certificate for whatever a case names, so that it isn't TLS that keeps requests away. */
function certified({ url }: Case): string[] {
  const host = URL.parse(url)?.hostname.replace(/^\[|\]$/g, "");
  if (host === undefined || host === impostor) return [];
  return [host, ...(isIP(host) === 0 ? [] : [host])];
}
