import type { Held } from "../capacity/held.ts";
import type { Model } from "../model/model.ts";
import { expectedPixels } from "../model/registry.ts";
import { advance } from "./advance.ts";
import type { Attempt, ReleaseReason } from "./attempt.ts";
import type { Failure } from "./failure.ts";
import type { Fact, RunningJob } from "./job.ts";
import type { GroundingRecord, ImageOutcome, Outcome, Result } from "./outcome.ts";
import type { Policy } from "./policy.ts";
import type { JobRequest } from "./request.ts";

/** Images that an attempt left untried, why, and what they have to wait for if it isn't just another attempt. */
export type More = { readonly reason: ReleaseReason; readonly held: Held | null };

/** How an attempt ends, given what it has in hand. `result` tells the images there are, also while more are tried. */
export type Conclusion = {
  readonly fact: Fact;
  readonly ended: Attempt["ended"];
  readonly failure: Failure | null;
  /** Why images were left untried, where that is how it ends. */
  readonly reason?: ReleaseReason;
  readonly result: Result | null;
};

/**
 * Success when every image is there. With a failure that may pass, a retry; the images already stored wait for it.
 * Once nothing more will be tried, what is there is a success with a warning, and nothing at all is a failure.
 * @param model `null` where the deployment doesn't know it any more
 * @param more where some images were not tried in this attempt: it gives the job back for them
 */
export function conclude(
  model: Model | null,
  job: RunningJob,
  request: JobRequest,
  outcomes: readonly Outcome[],
  failures: readonly Failure[],
  more: More | null,
  { at, opensAt, random }: { at: number; opensAt: number | null; random: number },
  policy: Policy,
): Conclusion {
  const images = outcomes.filter((outcome) => outcome.type === "image");
  const refusals = outcomes.flatMap((outcome) => (outcome.type === "refused" ? [outcome.failure] : []));
  const missing = [...refusals, ...failures];
  const result = images.length > 0 ? resultOf(model, request, images, missing) : null;
  const hasImages = images.length > 0;
  if (more && failures.length === 0) {
    const released: Fact = { type: "released", at, fence: job.fence, hasImages, held: more.held };
    return { fact: released, ended: "released", failure: null, reason: more.reason, result };
  }
  const [first, ...others] = failures.length > 0 ? failures : refusals;
  if (!first)
    return { fact: { type: "succeeded", at, fence: job.fence }, ended: "succeeded", failure: null, result };

  const fact: Fact = {
    type: "attempt_failed",
    at,
    fence: job.fence,
    failures: [first, ...others],
    hasImages,
    opensAt,
    random,
  };
  const next = advance(job, fact, policy);
  if ("refused" in next) return { fact, ended: "failed", failure: first, result };
  if (next.status === "queued") return { fact, ended: "retried", failure: next.lastFailure, result };
  if (next.status === "failed") {
    // The attempt's own failure, also where the job ends for its deadline
    const own = missing.find((failure) => failure === next.failure) ?? first;
    return { fact, ended: "failed", failure: own, result };
  }
  return { fact, ended: "succeeded", failure: null, result };
}

/** DynamoDB takes items of 400 KB: what a model writes beside its images is cut at this many characters for each. */
const longestText = 20_000;

function resultOf(
  model: Model | null,
  request: JobRequest,
  outcomes: readonly ImageOutcome[],
  missing: readonly Failure[],
): Result {
  const sorted = outcomes.toSorted((a, b) => a.image.index - b.image.index);
  const texts = sorted.flatMap(({ text }) => text ?? []);
  return {
    images: sorted.map(({ image }) => image),
    text: texts.length > 0 ? texts.map((text) => text.slice(0, longestText)).join("\n\n") : null,
    grounding: mergeGrounding(sorted.flatMap(({ grounding }) => grounding ?? [])),
    fetched: sorted[0]?.fetched ?? [], // the same for all
    warnings: [
      ...missing.map(
        ({ code, message }) => `An image of the ${request.count} is missing: ${code}: ${brief(message)}`,
      ),
      ...(model ? sorted.flatMap(({ image }) => sizeWarning(model, request, image)) : []),
      ...historyWarnings(request, sorted),
      ...(texts.some((text) => text.length > longestText)
        ? [`The text beside an image was cut at ${longestText} characters`]
        : []),
    ],
  };
}

function brief(message: string): string {
  return message.length > 300 ? `${message.slice(0, 300)}…` : message;
}

/** At submit nothing was known of this: the turns were to be sent, and then could not be. */
function historyWarnings(request: JobRequest, outcomes: readonly ImageOutcome[]): string[] {
  if (request.history.length === 0) return [];
  const reason = outcomes.find(({ historyUnused }) => historyUnused !== null)?.historyUnused;
  return reason
    ? [`The turns before were not sent: ${reason}; the image of the last one was sent instead`]
    : [];
}

const mostSources = 100;

/** Each image of a job may rest on searches of its own; all have to be shown. */
function mergeGrounding(each: readonly GroundingRecord[]): GroundingRecord | null {
  if (each.length === 0) return null;
  const unique = <T>(values: readonly T[], nameOf: (value: T) => string) =>
    [...new Map(values.map((value) => [nameOf(value), value])).values()].slice(0, mostSources);
  const self = (text: string) => text;
  return {
    webQueries: unique(
      each.flatMap(({ webQueries }) => webQueries),
      self,
    ),
    imageQueries: unique(
      each.flatMap(({ imageQueries }) => imageQueries),
      self,
    ),
    pages: unique(
      each.flatMap(({ pages }) => pages),
      ({ page }) => page,
    ),
    pictures: unique(
      each.flatMap(({ pictures }) => pictures),
      ({ page, picture }) => `${page} ${picture}`,
    ),
    widgets: unique(
      each.flatMap(({ widgets }) => widgets),
      self,
    ),
  };
}

const tolerance = 0.1;

/** Gemini ignores the asked size at times; the user should hear of it, not find out. */
function sizeWarning(model: Model, request: JobRequest, image: ImageOutcome["image"]): string[] {
  const { imageSize, aspectRatio } = request;
  const expected = expectedPixels(model, imageSize, aspectRatio ?? "1:1");
  if (!expected) return [];
  const [width, height] = expected;
  const off =
    aspectRatio === null
      ? Math.abs(Math.sqrt((image.width * image.height) / (width * height)) - 1) // any shape, but of this many pixels
      : Math.max(Math.abs(image.width - width) / width, Math.abs(image.height - height) / height);
  if (off <= (aspectRatio === null ? 3 * tolerance : tolerance)) return [];
  const asked = aspectRatio === null ? `about as many as ${width}x${height}` : `${width}x${height}`;
  return [
    `Image ${image.index} has ${image.width}x${image.height} pixels where ${asked} were to be expected`,
  ];
}
