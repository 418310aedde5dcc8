import { DomainError } from "@plantain/core/error";
import type { JobId } from "@plantain/core/id";
import { cancel } from "@plantain/core/job/cancel";
import { deleteJob } from "@plantain/core/job/delete-job";
import { isFinished } from "@plantain/core/job/job";
import type { Submission } from "@plantain/core/job/submission";
import { type SubmitPorts, submit } from "@plantain/core/job/submit";
import { jobEventTypes } from "@plantain/core/webhook/event";
import { readJob } from "../../functions/api/read-job.ts";
import type { Api } from "./api.ts";
import type { Dice } from "./dice.ts";
import { moods } from "./gemini-answers.ts";
import { onePixel } from "./one-pixel.ts";
import type { Process } from "./process.ts";
import type { Profile } from "./profile.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";
import { ownUrl } from "./webhooks.ts";
import type { Witness } from "./witness/witness.ts";

type Surroundings = {
  timeline: Timeline;
  trace: Trace;
  dice: Dice;
  profile: Profile;
  witness: Witness;
  api: Api;
  equip: (process: Process) => SubmitPorts;
};

export const names = ["acme", "globex", "initech", "umbrella"];
/** Within this time all jobs are submitted: in a rush, or one after the other. */
const rushes = [15_000, 300_000];
/** Within this time the crowd submits all it has. */
const crowdMs = 20_000;
/** Jobs that the other tenant has meanwhile. */
const singles = 4;
const tries = 8;

/**
 * Tenants at work: they submit, repeat what got no answer, use keys twice, cancel, build on each other's pictures, and
 * reach for what isn't theirs. They say what they were promised, and the witness holds the service to it.
 */
export function tenants(surroundings: Surroundings): { readonly busy: number } {
  const { timeline, trace, dice, profile, witness, api, equip } = surroundings;
  const submittingMs = dice.pick(rushes);
  let busy = 0;
  let submissions = 0;
  /** Jobs that were accepted, by tenant. */
  const accepted = new Map<string, JobId[]>();

  const pause = (ms: number) => new Promise<void>((resolve) => timeline.after(ms, resolve));

  function go(act: () => Promise<void>): void {
    busy += 1;
    void act().then(() => {
      busy -= 1;
    });
  }

  async function submitUntilAnswered(
    tenant: string,
    submission: Submission,
    key: string | null,
  ): Promise<JobId | "refused" | null> {
    for (let spent = 0; spent < (key === null ? 2 : tries); spent += 1) {
      try {
        const { job } = await api.request((process) =>
          submit(equip(process), tenant, submission, key, () =>
            trace.note(tenant, "has a job without a message"),
          ),
        );
        trace.note(tenant, `was promised ${job.id}`);
        if (!witness.jobs.has(job.id)) witness.violate("I1", `${job.id} was accepted but not stored`);
        accepted.set(tenant, [...(accepted.get(tenant) ?? []), job.id]);
        return job.id;
      } catch (error) {
        if (error instanceof DomainError) {
          trace.note(tenant, `is refused: ${error.code}`);
          return "refused";
        }
        await pause(dice.between(500, 5_000));
      }
    }
    return null;
  }

  async function cancelUntilAnswered(tenant: string, id: JobId): Promise<void> {
    for (let spent = 0; spent < tries; spent += 1) {
      try {
        const isOwn = witness.jobs.get(id)?.job.tenant === tenant;
        if (isOwn) witness.askedToCancel(id);
        const job = await api.request((process) => cancel(equip(process), tenant, id));
        if (!isOwn) witness.violate("I12", `${tenant} canceled ${id}, which is another's`);
        if (!isFinished(job))
          witness.violate("I5", `${id} is ${job.status} after its cancellation was answered`);
        const now = witness.jobs.get(id)?.job.status;
        if (now !== job.status) witness.violate("I5", `${id} was told to be ${job.status} and is ${now}`);
        return;
      } catch (error) {
        if (error instanceof DomainError) return;
        await pause(dice.between(500, 5_000));
      }
    }
  }

  async function deleteUntilAnswered(tenant: string, id: JobId): Promise<void> {
    for (let spent = 0; spent < tries; spent += 1) {
      try {
        const isOwn = witness.jobs.get(id)?.job.tenant === tenant;
        if (isOwn) witness.askedToDelete(id);
        await api.request((process) => deleteJob(equip(process), tenant, id));
        if (!isOwn) witness.violate("I12", `${tenant} deleted ${id}, which is another's`);
        if (!witness.jobs.get(id)?.deleted) witness.violate("I1", `${id} is there after its deletion`);
        return;
      } catch (error) {
        if (error instanceof DomainError) return;
        await pause(dice.between(500, 5_000));
      }
    }
  }

  /** Reads a job and the list of jobs, and takes note if that shows what isn't the tenant's. */
  async function look(tenant: string, id: JobId): Promise<void> {
    const isOwn = witness.jobs.get(id)?.job.tenant === tenant;
    const wasDeleted = Boolean(witness.jobs.get(id)?.deleted);
    try {
      const { job } = await api.request((process) => readJob(equip(process).jobs, tenant, id));
      if (!isOwn) witness.violate("I12", `${tenant} was shown ${job.id}, which is another's`);
      if (wasDeleted) witness.violate("I1", `${tenant} was shown ${job.id}, which was deleted`);
    } catch (error) {
      const isDeleted = Boolean(witness.jobs.get(id)?.deleted);
      if (error instanceof DomainError && isOwn && !isDeleted)
        witness.violate("I1", `${id} is not there for ${tenant}`);
    }
    const query = { tenant, status: null, cursor: null, limit: 100 };
    const page = await api.request((process) => equip(process).jobs.list(query)).catch(() => null);
    for (const job of page?.jobs ?? [])
      if (job.tenant !== tenant) witness.violate("I12", `${tenant} was shown ${job.id} in its list`);
  }

  function draft(tenant: string): Submission {
    submissions += 1;
    const mood = dice.chance(profile.killers)
      ? "killer"
      : dice.chance(profile.providerFailures / 4)
        ? dice.pick(moods)
        : "";
    const own = accepted.get(tenant) ?? [];
    const others = [...accepted].flatMap(([other, ids]) => (other === tenant ? [] : ids));
    const from = dice.chance(0.1) ? others : own;
    const continueFrom = from.length > 0 && dice.chance(0.15) ? { jobId: dice.pick(from), index: 0 } : null;
    const images: Submission["images"] =
      from.length > 0 && dice.chance(0.3)
        ? [{ type: "job", jobId: dice.pick(from), index: 0 }]
        : dice.chance(0.15)
          ? [{ type: "data", bytes: onePixel(submissions), mediaType: null }]
          : dice.chance(0.2)
            ? linked(dice.whole(1, 3))
            : [];
    return {
      model: dice.chance(0.75) ? "gemini-3-pro-image" : "gemini-3.1-flash-image",
      prompt: `${mood === "killer" && profile.killers === 0 ? "" : mood} picture ${submissions}`.trim(),
      images,
      aspectRatio: null,
      imageSize: null,
      count: dice.chance(0.6) ? 1 : dice.whole(2, 4),
      output: "image",
      thinking: null,
      grounding: { web: false, images: false },
      safety: {},
      seed: null,
      continueFrom,
      deadlineMs:
        1000 *
        (dice.chance(profile.shortDeadlines)
          ? dice.pick([10, 30, 60, 120, 300, 600])
          : dice.pick([1_800, 1_800, 3_600])),
      metadata: {},
      webhook: dice.chance(profile.webhooks)
        ? { url: ownUrl(tenant), events: [...jobEventTypes], secret: null }
        : null,
    };
  }

  /** Some of them one and the same. */
  function linked(count: number): Submission["images"] {
    return Array.from({ length: count }, () => {
      return { type: "url", url: `https://pictures.test/${dice.whole(1, 4)}` };
    });
  }

  async function order(tenant: string, number: number): Promise<void> {
    await pause(dice.between(0, submittingMs));
    const submission = draft(tenant);
    const key = dice.chance(0.6) ? `key-${number}` : null;
    const others: Promise<JobId | "refused" | null>[] = [];
    if (key !== null && dice.chance(0.3)) {
      const again = dice.chance(0.5) ? dice.between(0, 30) : dice.between(0, 3_000);
      others.push(pause(again).then(() => submitUntilAnswered(tenant, submission, key)));
    }
    const id = await submitUntilAnswered(tenant, submission, key);
    for (const other of others) {
      const second = await other;
      if (isJob(id) && isJob(second) && second !== id)
        witness.violate("I7", `${tenant} was promised ${id} and ${second} under one key`);
    }
    if (!isJob(id)) return;

    const { images = [], continued = null } = witness.jobs.get(id)?.request ?? {};
    for (const image of continued ? [continued, ...images] : images) {
      const source = "url" in image ? null : image.source;
      if (!source || witness.jobs.get(source.jobId)?.job.tenant === tenant) continue;
      witness.violate("I12", `${tenant} uses a picture of ${source.jobId}, which is another's`);
    }
    if (key !== null && dice.chance(0.15)) {
      const other = await submitUntilAnswered(tenant, { ...submission, prompt: "Something else" }, key);
      if (isJob(other))
        witness.violate("I7", `${tenant} was promised ${other} for another request under the key of ${id}`);
    }
    if (dice.chance(profile.deletions)) await deleteUntilAnswered(tenant, id);
    if (dice.chance(profile.cancels)) {
      await pause(dice.chance(0.7) ? dice.between(0, 60_000) : dice.between(0, 900_000));
      const canceled = [cancelUntilAnswered(tenant, id)];
      if (dice.chance(0.3)) canceled.push(cancelUntilAnswered(tenant, id));
      await Promise.all(canceled);
    }
    if (dice.chance(0.2)) {
      const stranger = dice.pick(names.filter((name) => name !== tenant));
      await cancelUntilAnswered(stranger, id);
      await deleteUntilAnswered(stranger, id);
      await look(stranger, id);
    }
    if (dice.chance(profile.deletions)) await remove(tenant, id);
    if (dice.chance(0.2)) await look(tenant, id);
    if (
      key !== null &&
      witness.jobs.get(id)?.deleted &&
      (await submitUntilAnswered(tenant, submission, key)) !== id
    )
      witness.violate("I7", `${tenant} was not told of ${id} any more under its key, since it was deleted`);
  }

  /** Deletes a job: at once, if it is over, or else as soon as it is. */
  async function remove(tenant: string, id: JobId): Promise<void> {
    await deleteUntilAnswered(tenant, id);
    while (witness.jobs.get(id)?.endedAt === null) await pause(1_000);
    await pause(dice.between(0, 20_000));
    await deleteUntilAnswered(tenant, id);
    await look(tenant, id);
  }

  /** One of the crowd's jobs. */
  async function join(): Promise<void> {
    const body = { ...draft("crowd"), images: [], continueFrom: null, count: 1, deadlineMs: 86_400_000 };
    await submitUntilAnswered("crowd", { ...body, prompt: "one of many" }, null);
  }

  /** Single jobs, each after the one before is over. */
  async function comeNowAndThen(tenant: string): Promise<void> {
    for (let number = 1; number <= singles; number += 1) {
      await pause(dice.between(10_000, 60_000));
      const id = await submitUntilAnswered(
        tenant,
        { ...draft(tenant), prompt: "a single one", images: [], continueFrom: null, count: 1 },
        null,
      );
      while (isJob(id) && witness.jobs.get(id)?.endedAt === null) await pause(1_000);
    }
  }

  if (profile.crowd > 0) {
    for (let number = 0; number < profile.crowd; number += 1)
      timeline.after(dice.between(0, crowdMs), () => go(join));
    go(() => comeNowAndThen("single"));
  }
  const others = profile.crowd > 0 ? [] : names.slice(0, dice.whole(2, names.length));
  for (const tenant of others) {
    const orders = dice.whole(1, 4);
    for (let number = 1; number <= orders; number += 1) go(() => order(tenant, number));
  }
  return {
    get busy() {
      return busy;
    },
  };
}

function isJob(answer: JobId | "refused" | null): answer is JobId {
  return answer !== null && answer !== "refused";
}
