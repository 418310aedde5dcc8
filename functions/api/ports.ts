import type { CapacityPorts } from "@plantain/core/capacity/ports";
import type { Random } from "@plantain/core/clock";
import type { Objects, SignedUrls } from "@plantain/core/job/ports";
import type { Registry } from "@plantain/core/model/registry";
import type { ApiKey } from "@plantain/core/tenant/key";
import type { Keys } from "@plantain/core/tenant/ports";
import type { Deliveries, DeliveryQueue, Endpoints } from "@plantain/core/webhook/ports";
import type { UrlChecker } from "@plantain/http/url-checker";
import type { Log } from "../runtime/log.ts";

/** All that the HTTP API stands on. */
export type ApiPorts = CapacityPorts & {
  readonly objects: Objects;
  readonly signedUrls: SignedUrls;
  readonly keys: Keys;
  readonly random: Random;
  readonly registry: Registry;
  readonly defaultModel: string;
  readonly endpoints: Endpoints;
  readonly deliveries: Deliveries;
  readonly deliveryQueue: DeliveryQueue;
  /** Whether URLs may name this very machine. */
  readonly allowLoopback: boolean;
  /** Whether an endpoint's URL is taken, which looks its host up: within 5 s. */
  readonly checkUrl: UrlChecker;
  readonly log: Log;
};

/** What a request carries besides itself: who calls, and the id that its log lines and problems show. */
export type ApiContext = { Variables: { caller: ApiKey; requestId: string } };
