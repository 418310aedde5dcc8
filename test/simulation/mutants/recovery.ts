import type { Change } from "../mutate.ts";
import { job, type Mutant } from "./mutant.ts";

/** The guard behind the other guards of this file. */
export const noSweep: Change = {
  file: `${job}sweep.ts`,
  find: "while (leftMs() > reserveMs)",
  replace: "while (leftMs() < 0)",
};

/** Guards of a job's way from one worker to the next. */
export const recoveryMutants: readonly Mutant[] = [
  {
    name: "no-sweep",
    guard: "what was forgotten is found each minute",
    changes: [noSweep],
    profile: "default",
    fate: { killedWithin: 50 },
  },
  {
    name: "sweep-sends-first",
    guard: "the sweep notes its next look before it sends, so that nothing is sent in a storm",
    changes: [
      {
        file: `${job}sweep.ts`,
        find: '  const looked = await transition(jobs, job, { type: "swept", at }, policy);',
        replace:
          '  if (!isFinished(job) && job.dueAt <= at && isClaimable(job, at)) await queue.send(job, 0);\n  const looked = await transition(jobs, job, { type: "swept", at }, policy);',
      },
      { file: `${job}sweep.ts`, find: "  await queue.send(looked.job, delay);", replace: "" },
    ],
    profile: "ticks",
    fate: { killedWithin: 50 },
  },
  {
    name: "sweep-without-next-look",
    guard: "the sweep's looks at one job grow rarer",
    changes: [
      {
        file: `${job}advance.ts`,
        find: "return moved(job, { dueAt: Math.min(at + wait, job.deadlineAt)",
        replace: "return moved(job, { dueAt: Math.min(job.dueAt, at + wait)",
      },
    ],
    profile: "ticks",
    fate: { killedWithin: 50 },
  },
  {
    name: "dead-letters-fail-jobs",
    guard: "a dead letter is an alarm and never fails a job",
    changes: [
      {
        file: "test/simulation/world.ts",
        find: "; // and nothing else",
        replace: `;
  const failure = { code: "internal", message: "Dead letter", billed: "no" };
  queue.onDeadLetter = async (body) => {
    const job = await truth.load(JSON.parse(body).jobId);
    if (job === null || "finishedAt" in job) return;
    const over = { ...job, status: "failed", failure, finishedAt: timeline.now, version: job.version + 1 };
    await table.serve({ process: { name: "redrive" }, run: null }).write(job, over);
  };`,
      },
    ],
    profile: "heavy",
    fate: { killedWithin: 100 },
  },
  {
    name: "ack-early",
    guard: "a message is acknowledged when its work is done",
    changes: [
      {
        file: `${job}run-attempt.ts`,
        find: "await message.extend(ports.policy.beatVisibilityMs);",
        replace: "await message.ack();",
      },
    ],
    profile: "crashes",
    fate: { maskedBy: "no-sweep" },
  },
  {
    name: "retry-not-sent",
    guard: "a job that is to be retried gets a new message",
    changes: [
      {
        file: `${job}close-attempt.ts`,
        find: 'if (closed.job?.status === "queued")',
        replace: 'if (closed.job?.status === "queued" && ended !== "retried")',
      },
    ],
    profile: "provider",
    fate: { maskedBy: "no-sweep" },
  },
  {
    name: "release-not-sent",
    guard: "a job that is given back gets a new message",
    changes: [
      {
        file: `${job}close-attempt.ts`,
        find: 'if (closed.job?.status === "queued")',
        replace: 'if (closed.job?.status === "queued" && ended !== "released")',
      },
    ],
    profile: "cramped",
    fate: { maskedBy: "no-sweep" },
  },
  {
    name: "own-success-not-seen",
    guard: "a commit whose answer was lost is known again as one's own",
    changes: [
      {
        file: `${job}close-attempt.ts`,
        find: "if (closed.refused && !isOwn(closed.job, claimed, conclusion))",
        replace: "if (closed.refused)",
      },
    ],
    profile: "answers",
    fate: { maskedBy: "no-sweep" },
  },
];
