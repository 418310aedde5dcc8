import { expectedPixels, type Registry } from "../model/registry.ts";
import type { Attempt } from "./attempt.ts";
import { type Failure, failureClasses } from "./failure.ts";
import { advance, type Fact, type RunningJob } from "./job.ts";
import type { GroundingRecord, ImageOutcome, Outcome, Result } from "./outcome.ts";
import type { Policy } from "./policy.ts";
import type { JobRequest } from "./request.ts";

/** How an attempt ends, given what it has in hand. */
export type Conclusion = {
  readonly fact: Fact;
  readonly ended: Attempt["ended"];
  readonly failure: Failure | null;
  readonly result: Result | null;
};

/**
 * Success when every image is there. With a failure that may pass, a retry; the images already stored wait for it.
 * Once nothing more will be tried, what is there is a success with a warning, and nothing at all is a failure.
 */
export function conclude(
  registry: Registry,
  job: RunningJob,
  request: JobRequest,
  outcomes: readonly Outcome[],
  failures: readonly Failure[],
  { at, random }: { at: number; random: number },
  policy: Policy,
): Conclusion {
  const images = outcomes.filter((outcome) => outcome.type === "image");
  const refusals = outcomes.flatMap((outcome) => (outcome.type === "refused" ? [outcome.failure] : []));
  const succeeded = (missing: readonly Failure[]): Conclusion => ({
    fact: { type: "succeeded", at, fence: job.fence },
    ended: "succeeded",
    failure: null,
    result: resultOf(registry, job, request, images, missing),
  });
  const failure = mostPatient(failures) ?? refusals[0];
  if (!failure) return succeeded([]);

  const fact: Fact = { type: "attempt_failed", at, fence: job.fence, failure, random };
  const next = advance(job, fact, policy);
  const retried = !("refused" in next) && next.status === "queued";
  const givesUp = failures.length === 0 || !retried;
  if (givesUp && images.length > 0) return succeeded([...refusals, ...failures]);
  return { fact, ended: retried ? "retried" : "failed", failure, result: null };
}

/** Of several failures the one with the longest wait decides, so that the retry doesn't come too early for any. */
function mostPatient(failures: readonly Failure[]): Failure | undefined {
  const wait = (failure: Failure) => failure.retryAfterMs ?? failureClasses[failure.code].waitMs;
  return failures.toSorted((a, b) => wait(b) - wait(a))[0];
}

function resultOf(
  registry: Registry,
  job: RunningJob,
  request: JobRequest,
  outcomes: readonly ImageOutcome[],
  missing: readonly Failure[],
): Result {
  const sorted = outcomes.toSorted((a, b) => a.image.index - b.image.index);
  const texts = sorted.flatMap(({ text }) => text ?? []);
  return {
    images: sorted.map(({ image }) => image),
    text: texts.length > 0 ? texts.join("\n\n") : null,
    grounding: mergeGrounding(sorted.flatMap(({ grounding }) => grounding ?? [])),
    usedHistory: sorted.every(({ historyUnused }) => historyUnused === null),
    warnings: [
      ...missing.map(
        ({ code, message }) => `An image of the ${request.count} is missing: ${code}: ${message}`,
      ),
      ...sorted.flatMap(({ image }) => sizeWarning(registry, job, request, image)),
      ...historyWarnings(request, sorted),
    ],
  };
}

/** At submit nothing was known of this: the turns were to be sent, and then could not be. */
function historyWarnings(request: JobRequest, outcomes: readonly ImageOutcome[]): string[] {
  if (request.history.length === 0) return [];
  const reason = outcomes.find(({ historyUnused }) => historyUnused !== null)?.historyUnused;
  return reason
    ? [`The turns before were not sent: ${reason}; the image of the last one was sent instead`]
    : [];
}

/** Each image of a job may rest on searches of its own; all have to be shown. */
function mergeGrounding(each: readonly GroundingRecord[]): GroundingRecord | null {
  if (each.length === 0) return null;
  const unique = (texts: readonly string[]) => [...new Set(texts)];
  const byPage = <T extends { page: string }>(links: readonly T[]) => [
    ...new Map(links.map((link) => [link.page, link])).values(),
  ];
  return {
    webQueries: unique(each.flatMap(({ webQueries }) => webQueries)),
    imageQueries: unique(each.flatMap(({ imageQueries }) => imageQueries)),
    pages: byPage(each.flatMap(({ pages }) => pages)),
    pictures: byPage(each.flatMap(({ pictures }) => pictures)),
    widgets: unique(each.flatMap(({ widgets }) => widgets)),
  };
}

const tolerance = 0.1;

/** Gemini ignores the asked size at times; the user should hear of it, not find out. */
function sizeWarning(
  registry: Registry,
  job: RunningJob,
  request: JobRequest,
  image: ImageOutcome["image"],
): string[] {
  const expected = expectedPixels(registry.choose(job.model).model, request.imageSize, request.aspectRatio);
  if (!expected) return [];
  const [width, height] = expected;
  const off = Math.max(Math.abs(image.width - width) / width, Math.abs(image.height - height) / height);
  if (off <= tolerance) return [];
  return [
    `Image ${image.index} is ${image.width}x${image.height} pixels where ${width}x${height} were to be expected`,
  ];
}
