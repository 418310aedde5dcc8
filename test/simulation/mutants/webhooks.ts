import type { Mutant } from "./mutant.ts";

const webhook = "packages/core/src/webhook/";

/** Guards of what is told of jobs, so that everybody who wants to hears of each end, and of nothing else. */
export const webhookMutants: readonly Mutant[] = [
  {
    name: "no-outbox",
    guard: "the event is written in the transaction that ends its job",
    changes: [
      {
        file: `${webhook}announce.ts`,
        find: "jobs.write(from, to, { ...records, announcement });",
        replace: "jobs.write(from, to, records);",
      },
    ],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "webhook-id-per-try",
    guard: "one webhook-id holds for all tries",
    changes: [
      {
        file: `${webhook}deliver.ts`,
        find: "id: webhookId(claimed.event, claimed.destination),",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
        replace: "id: `${webhookId(claimed.event, claimed.destination)}_${claimed.fence}`,",
      },
    ],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "told-before-the-end",
    guard: "only an end is announced",
    changes: [
      {
        file: `${webhook}announce.ts`,
        find: "isFinished(to) ? await announcementOf(ports, to) : null;",
        replace:
          'to.status === "running" ? await announcementOf(ports, { ...to, status: "succeeded", finishedAt: to.claimedAt }) : null;',
      },
    ],
    profile: "none",
    fate: { killedWithin: 50 },
  },
  {
    name: "delivery-lease-ignored",
    guard: "a delivery that is being tried isn't tried by another",
    changes: [
      {
        file: `${webhook}advance-delivery.ts`,
        find: "isPending ? delivery.nextTryAt : delivery.leaseUntil",
        replace: "isPending ? delivery.nextTryAt : at",
      },
    ],
    profile: "deaf",
    fate: { killedWithin: 50 },
  },
  {
    name: "delivery-fence-ignored",
    guard: "a try that lost its lease spends no step of the schedule",
    changes: [
      {
        file: `${webhook}advance-delivery.ts`,
        find: '  if ("fence" in fact && (delivery.status !== "delivering" || fact.fence !== delivery.fence))\n    return { refused: "lease_lost" };',
        replace: "",
      },
    ],
    profile: "dazed",
    fate: { killedWithin: 100 },
  },
  {
    name: "deliveries-not-swept",
    guard: "the sweep sends deliveries that are due",
    changes: [
      {
        file: `${webhook}sweep-deliveries.ts`,
        find: "  await deliveryQueue.send(looked.delivery, looked.delivery.lane, delay);",
        replace: "",
      },
    ],
    profile: "deaf",
    fate: { killedWithin: 20 },
  },
  {
    name: "late-request-sent",
    guard: "who froze since the claim sends nothing once the lease is about to end",
    changes: [
      {
        file: `${webhook}deliver.ts`,
        find: '  if (startedAt + timeoutMs + leaseMarginMs > claimed.leaseUntil) return { ended: "lease_lost" };',
        replace: "",
      },
    ],
    profile: "drowsy",
    fate: { killedWithin: 50 },
  },
  {
    name: "delivery-tried-early",
    guard: "a delivery isn't tried before its time",
    changes: [
      {
        file: `${webhook}advance-delivery.ts`,
        find: "isPending ? delivery.nextTryAt : delivery.leaseUntil",
        replace: "isPending ? at : delivery.leaseUntil",
      },
    ],
    profile: "deaf",
    fate: { killedWithin: 50 },
  },
  {
    name: "parked-unseen",
    guard: "who parks a delivery looks at its endpoint again",
    changes: [
      {
        file: `${webhook}deliver.ts`,
        find: "this one parked: once more from the beginning\n      continue;",
        replace: 'this one parked\n      return { ended: "parked" };',
      },
    ],
    profile: "fickle",
    fate: { killedWithin: 50 },
  },
  {
    name: "announced-parked",
    guard: "only who makes deliveries parks them",
    changes: [
      {
        file: `${webhook}delivery.ts`,
        find: '    status: "pending",\n    nextTryAt: event.at,\n    dueAt: event.at + arrivalMs,\n    checks: 0,',
        replace:
          '    ...(to.disabled ? { status: "parked", endedAt: event.at } : { status: "pending", nextTryAt: event.at, dueAt: event.at + arrivalMs, checks: 0 }),',
      },
      {
        file: `${webhook}announce.ts`,
        find: "    deliveries.map((delivery)",
        replace: '    deliveries.filter(({ status }) => status === "pending").map((delivery)',
      },
    ],
    profile: "fickle",
    fate: { killedWithin: 150 },
  },
  {
    name: "resumed-once",
    guard: "who enables an endpoint that is enabled goes on sending what is parked",
    changes: [
      {
        file: `${webhook}change-endpoint.ts`,
        find: "(from) => changed(from, change, ports.clock.now()));\n  const resumed = change.enabled === true ?",
        replace:
          "(from) => Object.assign(changed(from, change, ports.clock.now()), { was: from.disabled }));\n  const resumed = change.enabled === true && endpoint.was ?",
      },
    ],
    profile: "fickle",
    fate: { killedWithin: 50 },
  },
];
