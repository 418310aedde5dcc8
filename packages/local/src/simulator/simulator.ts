import type { AddressInfo } from "node:net";
import { createBatches } from "./batches.ts";
import { createInjector, type ProfileInput, type QueuedFaultInput } from "./faults/injector.ts";
import { createFiles } from "./files.ts";
import { createIds } from "./ids.ts";
import { type Latency, quick } from "./latency.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { createQuota, type Quota } from "./quota.ts";
import { createSimulatorServer } from "./server.ts";
import { createSignatures } from "./signatures.ts";
import type { World } from "./world.ts";

export type SimulatorOptions = {
  /** 0, the default, takes a free port. */
  port?: number;
  /** The loopback address 127.0.0.1 by default. */
  host?: string;
  /** How long the model works; 3 ms by default. */
  latency?: Latency;
  /** Random faults; none by default. */
  profile?: ProfileInput;
  /** Limits per key and model; none by default. */
  quota?: Quota;
  /** The API keys it accepts; by default any that does not begin with "invalid". */
  keys?: readonly string[];
  /** Decides ids, latencies, random faults and the secret of thought signatures; 1 by default. */
  seed?: number;
};

/** A running simulator of Google's Gemini API. */
export type Simulator = {
  /** Its base address without a slash at the end; give it to the SDK as `baseUrl`. */
  url: string;
  /** A copy of what has been called so far. */
  ledger: () => Ledger;
  /** Makes the next calls that match meet a fault, `NAME` or `NAME:argument`. Throws if there is no such fault. */
  addFault: (fault: QueuedFaultInput) => void;
  /** Back to how it started: ledger, faults, profile, quotas, files and batches. */
  reset: () => void;
  /** Closes the port and every connection; calls under way end. */
  stop: () => Promise<void>;
};

/**
 * Starts a server that answers as Google's Gemini API does for image models.
 *
 * @throws Error if the port cannot be taken, or the profile names an unknown fault
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, host = "127.0.0.1", latency = quick, profile = {}, quota = {}, seed = 1 } = options;
  const stopping = new AbortController();
  const ids = createIds(seed);
  const world: World = {
    keys: options.keys ?? null,
    latency,
    ids,
    ledger: createLedger(),
    injector: createInjector(seed),
    quota: createQuota(quota),
    signatures: createSignatures(seed),
    files: createFiles(ids, stopping.signal),
    stopping: stopping.signal,
  };
  world.injector.setProfile(profile);
  const batches = createBatches(world);
  const server = createSimulatorServer(world, batches);
  const address = await listen(server, port, host);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`,
    ledger: world.ledger.read,
    addFault: world.injector.add,
    reset() {
      world.ledger.clear();
      world.injector.clear();
      world.injector.setProfile(profile);
      world.quota.clear();
      world.files.clear();
      batches.clear();
    },
    async stop() {
      stopping.abort();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

type Listener = ReturnType<typeof createSimulatorServer>;

async function listen(server: Listener, port: number, host: string): Promise<AddressInfo> {
  return await new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      const advice = taken ? "it is in use; choose another, or 0 for a free one" : error.message;
      reject(new Error(`Cannot listen on port ${port} of "${host}": ${advice}`, { cause: error }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address);
    });
  });
}
