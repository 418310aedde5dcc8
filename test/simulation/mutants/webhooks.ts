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
        find: '      if (isLeased(delivery, at)) return { refused: "leased" };\n      return claim(delivery, at);',
        replace: "      return claim(delivery, at);",
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
];
