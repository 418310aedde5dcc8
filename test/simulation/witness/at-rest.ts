import { sha256Hex } from "@plantain/core/hash";
import type { Attempt } from "@plantain/core/job/attempt";
import { isFinished } from "@plantain/core/job/job";
import { Outcome, type Result } from "@plantain/core/job/outcome";
import type { Objects } from "@plantain/core/job/ports";
import { samplePolicy } from "@plantain/memory/samples";
import type { World } from "../world.ts";
import { type Entry, isPlainlyPaid, isUndisturbed } from "./ledger.ts";
import { everybodyWasTold } from "./webhooks.ts";
import type { Seen, Witness } from "./witness.ts";

/** What must hold when every fault is over and every process has come to its end. */
export async function examine({ witness, table, objects, webhooks, receivers }: World): Promise<void> {
  const jobs = table.truth;
  for (const [id, seen] of witness.jobs) {
    const calls = witness.ledger.filter(({ jobId }) => jobId === id);
    paidOnce(witness, seen, calls);
    stopped(witness, seen, calls);
    inTime(witness, seen, calls);
    const record = await jobs.read(id);
    if (seen.deleted) {
      if (record) witness.violate("I1", `${id} is there again though it was deleted`);
      nothingLeft(witness, seen);
      continue;
    }
    if (!record) {
      witness.violate("I1", `${id} is not in the table any more`);
      continue;
    }
    if (!isFinished(record.job)) {
      witness.violate("I1", `${id} is ${record.job.status} though every fault is over`);
      continue;
    }
    billsExplain(witness, seen, calls, record.attempts);
    attemptsTold(witness, seen, record.attempts);
    await everybodyWasTold(witness, webhooks, receivers, seen);
    sentTheSame(witness, seen, calls, record.result);
    for (const { key, sha256 } of record.result?.images ?? []) {
      const bytes = await objects.get(key);
      if (!bytes || sha256Hex(bytes) !== sha256) witness.violate("I3", `${key} is not what ${id} shows`);
    }
  }
  await nothingUnreferenced(witness, objects);
}

/** I9: nothing of a deleted job is stored, whoever was at work on it when it was deleted. */
function nothingLeft(witness: Witness, { job }: Seen): void {
  for (const key of witness.pictures.keys())
    if (key.includes(`/${job.id}/`)) witness.violate("I9", `${key} is left of a job that was deleted`);
}

/** I3: what a URL led to is fetched once, so that every call of a job sends the same pictures, and the job shows them. */
function sentTheSame(
  witness: Witness,
  { job, request }: Seen,
  calls: readonly Entry[],
  result: Result | null,
): void {
  for (const [index, image] of request.images.entries()) {
    if (!("url" in image)) continue;
    // From the end: where the turns before aren't sent, the image of the last one leads
    const sent = new Set(calls.map((call) => call.sent.at(index - request.images.length)));
    const shown = result?.fetched.find(({ url }) => url === image.url)?.sha256;
    if (sent.size > 1) witness.violate("I3", `${job.id} sent ${sent.size} pictures for image ${index}`);
    if (result && !sent.has(shown))
      witness.violate("I3", `${job.id} shows image ${index} that it didn't send`);
  }
}

/** I6: each image is paid for once, but for calls that failed and calls whose worker met with an accident. */
function paidOnce(witness: Witness, { job }: Seen, calls: readonly Entry[]): void {
  const plain = calls.filter(isPlainlyPaid);
  for (const index of new Set(plain.map((call) => call.index))) {
    const ofIndex = plain.filter((call) => call.index === index);
    if (ofIndex.length > 1) {
      const numbers = ofIndex.map(({ number, fence }) => `#${number} at fence ${fence}`).join(", ");
      witness.violate("I6", `${job.id} paid ${ofIndex.length} times for image ${index}: ${numbers}`);
    }
  }
}

/** A beat, and the time that it may take. */
const soonMs = 20_000 + 15_000;

/** What a call may take beyond its limit. */
const slackMs = 5_000;

/** A call is given up at its limit, and at the next beat when its job ends: nobody pays on for what nobody wants. */
function stopped(witness: Witness, { job, endedAt }: Seen, calls: readonly Entry[]): void {
  for (const call of calls) {
    const took = (call.endedAt ?? 0) - call.startedAt;
    if (took > samplePolicy.callMs + slackMs && isUndisturbed(call))
      witness.violate("stop", `${job.id} waited ${took} ms for call #${call.number}`);
    const { failedBeats, process } = call.run;
    const beat = failedBeats.find((at) => at >= call.startedAt);
    const isWell = process.mishaps.every(({ until }) => until < call.startedAt);
    if (beat !== undefined && isWell && (call.endedAt ?? 0) - beat > soonMs)
      witness.violate("stop", `${job.id} went on with call #${call.number} after a beat had failed`);
    const tooLong = (call.endedAt ?? 0) - (endedAt ?? 0);
    if (tooLong > soonMs && isUndisturbed(call))
      witness.violate("stop", `${job.id} is over, and call #${call.number} went on for ${tooLong} ms`);
  }
}

/** A recheck, and the time that it may take. */
const lateMs = 20_000;

/** Nothing is paid for after the deadline. */
function inTime(witness: Witness, { job }: Seen, calls: readonly Entry[]): void {
  for (const call of calls) {
    const late = call.startedAt - job.deadlineAt;
    const happened = call.run.process.mishaps.some(({ until }) => until >= job.deadlineAt - lateMs);
    if (late > lateMs && !happened)
      witness.violate("deadline", `${job.id} began call #${call.number} ${late} ms after its deadline`);
  }
}

/** Every billed call is told by exactly one line of the flight recorder, or that line says that it doesn't know. */
function billsExplain(
  witness: Witness,
  { job }: Seen,
  calls: readonly Entry[],
  attempts: readonly Attempt[],
): void {
  const open = new Set(calls.filter(({ billed }) => billed));
  const unknown = new Map<number, number>();
  for (const { fence, calls: told } of attempts) {
    for (const { index, billed, cost } of told) {
      if (billed === "unknown") unknown.set(fence, (unknown.get(fence) ?? 0) + 1);
      if (billed !== "yes") continue;
      const entry = [...open].find((call) => call.fence === fence && call.cost === cost);
      if (entry) open.delete(entry);
      else
        witness.violate(
          "bill",
          `${job.id} tells of a bill for image ${index} at fence ${fence} that nobody sent`,
        );
    }
  }
  for (const call of open) {
    const { number, fence, heard } = call;
    if (heard !== null && !vague.includes(heard) && isUndisturbed(call))
      witness.violate("bill", `${job.id} keeps to itself that call #${number} ended in ${heard}`);
    const left = unknown.get(fence ?? 0) ?? 0;
    if (left === 0) witness.violate("bill", `${job.id} doesn't tell of call #${number} at fence ${fence}`);
    unknown.set(fence ?? 0, left - 1);
  }
}

/** What a worker may hear without learning whether it has to pay. */
const vague: readonly Entry["heard"][] = ["lease_lost", "given_up", "timeout", "upstream_error"];

/** The flight recorder has one line for each claim, and tells of every retry that was spent. */
function attemptsTold(witness: Witness, { job }: Seen, attempts: readonly Attempt[]): void {
  for (let fence = 1; fence <= job.fence; fence += 1) {
    if (attempts.filter((attempt) => attempt.fence === fence).length !== 1)
      witness.violate("record", `${job.id} has no line for its attempt ${fence}`);
  }
  for (const [code, spent] of Object.entries(job.spent)) {
    const told = attempts.filter(
      ({ ended, failure, calls }) =>
        ended === "retried" &&
        [failure, ...calls.map((call) => call.failure)].some((each) => each?.code === code),
    ).length;
    if (told < spent)
      witness.violate("I8", `${job.id} spent ${spent} retries on ${code} but tells of ${told}`);
  }
}

/** I9: every picture is told by an outcome. That it lies where the lifecycle ends it is looked at when it is stored. */
async function nothingUnreferenced(witness: Witness, objects: Objects): Promise<void> {
  const keys = [...witness.pictures.keys()];
  const told = new Set<string>();
  for (const key of keys.filter((each) => each.endsWith(".json"))) {
    const bytes = await objects.get(key);
    const outcome = Outcome.parse(JSON.parse(new TextDecoder().decode(bytes ?? undefined)));
    if (outcome.type === "refused") continue;
    for (const part of outcome.parts) if (part.type === "image") told.add(part.key);
  }
  for (const key of keys) {
    const isPicture = !key.endsWith(".json") && !key.includes("/in/");
    if (isPicture && !told.has(key))
      witness.violate("I9", `${key} is stored without the outcome that tells of it`);
  }
}
