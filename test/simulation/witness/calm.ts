import { isHeardFailure } from "./ledger.ts";
import type { Witness } from "./witness.ts";

/** A deadline that a job in a world without faults never comes near. */
const ampleMs = 1_800_000;

/** What must hold beside everything else when nothing goes wrong: all succeeds, and each image is paid for once. */
export function calmly(witness: Witness): void {
  for (const { job, request } of witness.jobs.values()) {
    if (job.deadlineAt - job.createdAt < ampleMs) continue;
    const billed = witness.ledger.filter((call) => call.jobId === job.id && call.billed);
    if (job.status !== "succeeded" && job.status !== "canceled")
      witness.violate("calm", `${job.id} is ${job.status} though nothing went wrong`);
    if (job.status === "succeeded" && billed.length !== request.count)
      witness.violate("I6", `${job.id} has ${request.count} images and paid ${billed.length} times`);
    if (billed.some(isHeardFailure))
      witness.violate("calm", `${job.id} paid for a call that failed though nothing went wrong`);
  }
}
