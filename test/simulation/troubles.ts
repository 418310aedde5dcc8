import type { JobId } from "@plantain/core/id";
import type { Dice } from "./dice.ts";
import type { Faults, Outage } from "./faults.ts";
import type { Gemini } from "./gemini.ts";
import type { Profile } from "./profile.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

const services = ["jobs", "queue", "objects", "message", "endpoints", "deliveries", "deliveryQueue"];

/** Puts larger misfortunes into a world's future: a service that fails, a job whose item fails, a storm at Gemini. */
export function addTroubles(
  { timeline, trace, dice }: { timeline: Timeline; trace: Trace; dice: Dice },
  profile: Profile,
  { faults, provider, openJob }: { faults: Faults; provider: Gemini; openJob: () => JobId | undefined },
): void {
  const strike = (outage: Outage) => {
    trace.note("trouble", `${outage.service} fails${outage.subject ? ` for ${outage.subject}` : ""}`);
    faults.outages.push(outage);
  };
  if (dice.chance(profile.outages)) {
    const from = timeline.now + dice.between(0, 900_000);
    const service = dice.pick(services);
    strike({ service, subject: null, from, until: from + dice.between(5_000, 120_000) });
  }
  if (dice.chance(profile.outages)) {
    const from = timeline.now + dice.between(60_000, 600_000);
    timeline.at(from, () => {
      const subject = openJob();
      if (subject === undefined) return;
      strike({ service: "jobs", subject, from, until: from + dice.between(60_000, 1_200_000) });
    });
  }
  if (dice.chance(profile.storms)) {
    const from = timeline.now + dice.between(0, 900_000);
    provider.storm = { from, until: from + dice.between(20_000, 300_000) };
  }
}
