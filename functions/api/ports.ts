import type { Clock, Random } from "@plantain/core/clock";
import type { Policy } from "@plantain/core/job/policy";
import type { JobQueue, Jobs, Objects, SignedUrls } from "@plantain/core/job/ports";
import type { Registry } from "@plantain/core/model/registry";
import type { ApiKey } from "@plantain/core/tenant/key";
import type { Keys } from "@plantain/core/tenant/ports";
import type { Log } from "../runtime/log.ts";

/** All that the HTTP API stands on. */
export type ApiPorts = {
  readonly jobs: Jobs;
  readonly queue: JobQueue;
  readonly objects: Objects;
  readonly signedUrls: SignedUrls;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Policy;
  readonly registry: Registry;
  readonly defaultModel: string;
  readonly log: Log;
};

/** What a request carries besides itself: who calls, and the id that its log lines and problems show. */
export type ApiContext = { Variables: { caller: ApiKey; requestId: string } };
