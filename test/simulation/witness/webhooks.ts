import type { JobId } from "@plantain/core/id";
import { type FinishedJob, isFinished } from "@plantain/core/job/job";
import type { Endpoint } from "@plantain/core/webhook/endpoint";
import { type DeliveryId, deliveryId, jobEventId, webhookId } from "@plantain/core/webhook/ids";
import * as z from "zod";
import type { Receivers } from "../receivers.ts";
import type { Timeline } from "../timeline.ts";
import type { Webhooks } from "../webhooks.ts";
import type { Seen, Witness } from "./witness.ts";

/** What a simulated webhook says. */
export const Told = z.object({ job: z.string(), status: z.string() });

/** Where an event goes: to an endpoint, or (`null`) to the job's own URL. */
type Destination = Endpoint | null;

/**
 * I4, at each request: it tells of a job that is over, as it is, to who wants to hear of it, under the one id of that event
 * there, by whoever has its lease; and at each claim: it doesn't come before its time.
 */
export function listening(
  witness: Witness,
  webhooks: Webhooks,
  receivers: Receivers,
  { timeline, skewMs }: { timeline: Timeline; skewMs: number },
): void {
  const { registered } = webhooks;
  const leases = new Map<DeliveryId, number>();
  webhooks.onWrite = (from, to) => {
    if (to.status !== "delivering") return;
    leases.set(to.id, to.leaseUntil);
    const early = from.status === "pending" ? from.nextTryAt - skewMs - timeline.now : 0;
    if (early > 1) witness.violate("pace", `${to.id} was claimed ${early} ms too early`);
  };
  const known = new Map<string, { jobId: JobId; to: Destination }>();
  const destinationOf = (id: string) => {
    if (!known.has(id)) {
      for (const [jobId, { job }] of witness.jobs)
        for (const to of [...registered.filter(({ tenant }) => tenant === job.tenant), null])
          known.set(webhookId(jobEventId(jobId), to?.id ?? "inline"), { jobId, to });
    }
    return known.get(id);
  };
  receivers.onRequest = ({ id, body }, isAlone) => {
    const found = destinationOf(id);
    const seen = found && witness.jobs.get(found.jobId);
    if (!found || !seen)
      return witness.violate("I4", `A request has the webhook-id "${id}", which no event has`);
    if (!isAlone)
      witness.violate("I4", `Two requests "${id}" are under way at once, and nothing has befallen the first`);
    const destination = found.to?.id ?? "inline";
    const overMs =
      timeline.now - (leases.get(deliveryId(jobEventId(found.jobId), destination)) ?? 0) - skewMs;
    if (overMs > 0) witness.violate("I4", `A request "${id}" was made ${overMs} ms after its lease was over`);
    const { job, status } = Told.parse(JSON.parse(body));
    if (job !== found.jobId || status !== seen.job.status || !isFinished(seen.job))
      witness.violate(
        "I4",
        `${found.jobId} is ${seen.job.status}, and a webhook told that ${job} is ${status}`,
      );
    else if (!wants(seen.job, found.to))
      witness.violate("I4", `${found.jobId} was told of to ${nameOf(found.to)}, which didn't ask`);
  };
}

/** I4, at rest: whoever wants to hear of a job's end was told, as often as it took and no more, or is disabled. */
export async function everybodyWasTold(
  witness: Witness,
  { registered, deliveries, endpoints, resumedAt }: Webhooks,
  { requests }: Receivers,
  { job }: Seen,
): Promise<void> {
  if (!isFinished(job)) return;
  const { id, tenant } = job;
  const destinations = [...registered.filter((endpoint) => endpoint.tenant === tenant), null];
  for (const to of destinations.filter((each) => wants(job, each))) {
    const violate = (what: string) => witness.violate("I4", `The delivery of ${id} to ${nameOf(to)} ${what}`);
    const destination = to?.id ?? "inline";
    const delivery = await deliveries.load(deliveryId(jobEventId(id), destination));
    if (!delivery) {
      violate("doesn't exist");
      continue;
    }
    const isDisabled = to !== null && (await endpoints.load(tenant, to.id))?.disabled !== null;
    const isParked = delivery.status === "parked";
    if (isParked && !isDisabled) violate("is parked, and that is enabled");
    const came = requests.filter((request) => request.id === webhookId(jobEventId(id), destination));
    if (!isParked && delivery.status !== "delivered") violate(`is ${delivery.status}`);
    if (!isParked && !came.some(({ taken }) => taken)) violate("never arrived");
    if (came.length > delivery.fence) violate("made more requests than it was claimed");
    const tries = delivery.fence - (resumedAt.get(delivery.id) ?? 0);
    // What is parked begins anew, so a lease that ran out before need not have been counted
    if (isParked ? delivery.spent > tries : delivery.spent !== tries - 1)
      violate("spent other than a step for each try that failed");
  }
}

function wants(job: FinishedJob, to: Destination): boolean {
  const type = `job.${job.status}` as const;
  return to ? to.events.includes(type) : job.notifies.includes(type);
}

function nameOf(to: Destination): string {
  return to?.url ?? "its own URL";
}
