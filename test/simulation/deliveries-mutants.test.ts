import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { type Change, mutatedCopy } from "./mutate.ts";

const longMs = 180_000;
const webhook = "packages/core/src/webhook/";

/** The code that delivers webhooks with one guard taken out. */
const mutants: readonly {
  readonly name: string;
  readonly guard: string;
  readonly change: Change;
  /** The effect before which processes freeze; without it, whatever goes wrong in rough worlds. */
  readonly at?: string;
  readonly noticedBy: string;
}[] = [
  {
    name: "no-outbox",
    guard: "the event is written in the transaction that ends its job",
    change: {
      file: `${webhook}announce.ts`,
      find: "jobs.write(from, to, { ...records, announcement });",
      replace: "jobs.write(from, to, records);",
    },
    noticedBy: "doesn't exist",
  },
  {
    name: "id-per-try",
    guard: "one webhook-id holds for all tries",
    change: {
      file: `${webhook}deliver.ts`,
      find: "id: webhookId(claimed.event, claimed.destination),",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
      replace: "id: `${webhookId(claimed.event, claimed.destination)}_${claimed.fence}`,",
    },
    noticedBy: "which no event has",
  },
  {
    name: "claim-ignores-lease",
    guard: "a delivery that is being tried isn't tried by another",
    change: {
      file: `${webhook}advance-delivery.ts`,
      find: '      if (isLeased(delivery, at)) return { refused: "leased" };\n      return claim(delivery, at);',
      replace: "      return claim(delivery, at);",
    },
    noticedBy: "under way at once",
  },
  {
    name: "end-without-fence",
    guard: "a try that lost its lease spends no step of the schedule",
    change: {
      file: `${webhook}advance-delivery.ts`,
      find: '  if ("fence" in fact && (delivery.status !== "delivering" || fact.fence !== delivery.fence))\n    return { refused: "lease_lost" };',
      replace: "",
    },
    at: "deliveries.write.pending",
    noticedBy: "spent other than a step",
  },
  {
    name: "no-sweep",
    guard: "the sweep sends what is due",
    change: {
      file: `${webhook}sweep-deliveries.ts`,
      find: "  await deliveryQueue.send(looked.delivery, looked.delivery.lane, delay);",
      replace: "",
    },
    noticedBy: "come to rest",
  },
];

const Broken = z.array(z.object({ seed: z.number(), violation: z.string() }));

async function run(changes: readonly Change[], at: string | undefined) {
  const copy = await mutatedCopy(changes);
  try {
    const args = [join(copy.simulation, "deliveries-main.ts"), "--seeds", "40", ...(at ? ["--at", at] : [])];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
    return Broken.parse(JSON.parse(stdout));
  } finally {
    await copy.remove();
  }
}

describe("the simulation of deliveries notices when a guard is missing", () => {
  it.concurrent.each(mutants)(
    "$name: $guard",
    async ({ change, at, noticedBy }) => {
      const [first] = await run([change], at);
      expect(first?.violation).toContain(noticedBy);
    },
    longMs,
  );
});
