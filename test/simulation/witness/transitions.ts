import type { JobId } from "@plantain/core/id";
import { type FailureCode, failureClasses } from "@plantain/core/job/failure";
import { isFinished, type Job } from "@plantain/core/job/job";
import type { Result } from "@plantain/core/job/outcome";
import { crashBudget } from "@plantain/core/job/policy";
import type { Records } from "@plantain/core/job/ports";
import type { JobRequest } from "@plantain/core/job/request";
import type { Caller } from "../caller.ts";
import type { Entry } from "./ledger.ts";
import type { Violation } from "./witness.ts";

type Context = {
  readonly caller: Caller;
  readonly now: number;
  readonly skewMs: number;
  readonly request: JobRequest;
  /** What the job shows now. */
  readonly result: Result | null;
  /** SHA-256 of each stored object, by key. */
  readonly pictures: ReadonlyMap<string, string>;
  readonly ledger: readonly Entry[];
  readonly deadUrls: ReadonlySet<string>;
  readonly isGone: (id: JobId) => boolean;
};

/** Everything that is wrong with one write to a job that has just taken effect. */
export function wrongs(before: Job, to: Job, records: Records, context: Context): Violation[] {
  return [
    ...overwritten(before, to),
    ...staleWrite(before, to, context),
    ...overspent(to),
    ...tooEarly(before, to, context),
    ...badResult(to, context),
    ...groundlessFailure(before, to, records, context),
  ];
}

/** I2: a job that is over stays as it is. I5 is a part of it that deserves its own name. */
function overwritten(before: Job, to: Job): Violation[] {
  if (!isFinished(before)) return [];
  const invariant = before.status === "canceled" && to.status === "succeeded" ? "I5" : "I2";
  return [{ invariant, text: `${to.id} was ${before.status} and became ${to.status}` }];
}

/** I11: the owner of a fence writes only while the job is running at that fence. */
function staleWrite(before: Job, to: Job, { caller: { run } }: Context): Violation[] {
  const steps = to.fence - before.fence;
  if (steps < 0 || steps > 1)
    return [{ invariant: "I11", text: `${to.id} went from fence ${before.fence} to ${to.fence}` }];
  if (!run || run.fence === null || isInLine(before, to)) return [];
  // Whoever comes upon another held job past its deadline ends it
  if (to.id !== run.jobId && before.status === "queued" && isFinished(to)) return [];
  if (before.status === "running" && before.fence === run.fence) return [];
  return [
    {
      invariant: "I11",
      text: `${to.id} was ${before.status} at fence ${before.fence} when the owner of ${run.fence} wrote`,
    },
  ];
}

/** Whoever gives a place back lets others in, or has them wait in another line, and writes to their jobs for that. */
function isInLine(before: Job, to: Job): boolean {
  return before.status === "queued" && before.held !== null && to.status === "queued";
}

export function isPromotion(before: Job, to: Job): boolean {
  return before.status === "queued" && before.held !== null && to.status === "queued" && to.held === null;
}

/** I8: retries and crashes stay within their budgets. */
function overspent(to: Job): Violation[] {
  const found: Violation[] = [];
  for (const [code, { retries }] of Object.entries(failureClasses)) {
    const spent = to.spent[code] ?? 0;
    if (retries !== "until_deadline" && spent > retries)
      found.push({ invariant: "I8", text: `${to.id} spent ${spent} retries on ${code}` });
  }
  if (!isFinished(to) && to.crashes > crashBudget)
    found.push({ invariant: "I8", text: `${to.id} goes on after ${to.crashes} crashes` });
  return found;
}

/** A job that was told to wait is not claimed before. Clocks differ, and a claim takes effect after it was decided. */
function tooEarly(before: Job, to: Job, { now, skewMs }: Context): Violation[] {
  const isClaim = before.status === "queued" && to.fence > before.fence;
  if (!isClaim || now + 2 * skewMs >= before.runAfter) return [];
  return [{ invariant: "pace", text: `${to.id} was claimed ${before.runAfter - now} ms too early` }];
}

/** I3: what a succeeded job shows is there, as it says, and no more than was asked for. */
function badResult(to: Job, { request, result, pictures }: Context): Violation[] {
  if (to.status !== "succeeded") return [];
  if (!result) return [{ invariant: "I3", text: `${to.id} succeeded without a result` }];
  if (result.images.length === 0) return [{ invariant: "I3", text: `${to.id} succeeded without an image` }];
  const indexes = new Set(result.images.map(({ index }) => index));
  const isSane =
    indexes.size === result.images.length && [...indexes].every((index) => index < request.count);
  return [
    ...(isSane ? [] : [{ invariant: "I3", text: `${to.id} shows images that nobody asked for` }]),
    ...result.images
      .filter(
        ({ key, sha256 }) => pictures.get(key) !== sha256 || !key.startsWith(`out/${to.tenant}/${to.id}/`),
      )
      .map(({ key }) => ({
        invariant: "I3",
        text: `${to.id} shows ${key}, which is not what is stored there`,
      })),
  ];
}

function isInput(code: FailureCode): boolean {
  return code === "input_unavailable" || code === "input_fetch_failed";
}

function isInputMissing({ request: { images, continued }, deadUrls, isGone }: Context): boolean {
  return [...images, ...(continued ? [continued] : [])].some((image) =>
    "url" in image ? deadUrls.has(image.url) : image.source !== null && isGone(image.source.jobId),
  );
}

/** A job fails for something that happened: dead letters and lost messages are no reason. */
function groundlessFailure(before: Job, to: Job, { attempt }: Records, context: Context): Violation[] {
  if (to.status !== "failed") return [];
  const { code } = to.failure;
  const isTrue =
    code === "deadline_exceeded"
      ? context.now + context.skewMs >= to.deadlineAt || Boolean(attempt?.failure ?? before.lastFailure)
      : code === "internal"
        ? to.crashes > crashBudget
        : isInput(code)
          ? isInputMissing(context)
          : context.ledger.some(({ jobId, heard }) => jobId === to.id && heard === code);
  return isTrue ? [] : [{ invariant: "cause", text: `${to.id} failed with ${code}, which did not happen` }];
}
