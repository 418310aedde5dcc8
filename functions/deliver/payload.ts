import { isFinished } from "@plantain/core/job/job";
import type { JobRecord, SignedUrls } from "@plantain/core/job/ports";
import type { WebhookEvent } from "@plantain/core/webhook/event";
import { wireJob } from "../api/wire.ts";

type WireJob = Awaited<ReturnType<typeof wireJob>>;
type Shown = WireJob & { readonly truncated: readonly string[] };

/** Receivers and what stands before them take bodies of this size without a second thought. */
export const mostPayloadBytes = 20_000;

/**
 * The body that tells of an event, in less than 20 KB: a job as the API shows it, with images at the API's own
 * addresses, which don't expire. What is too long is cut, and named in `truncated`.
 * @param apiUrl where the API is
 */
export async function payload(
  event: WebhookEvent,
  record: JobRecord | null,
  apiUrl: string,
): Promise<string> {
  const timestamp = new Date(event.at).toISOString();
  const body = (data: unknown) => JSON.stringify({ type: event.type, timestamp, data });
  switch (event.type) {
    case "ping":
      return body({ object: "ping", endpoint: event.endpoint });
    case "endpoint.disabled": {
      const { endpoint, reason, failingSince } = event;
      const since = failingSince === null ? null : new Date(failingSince).toISOString();
      return body({ object: "endpoint", id: endpoint, disabled_reason: reason, failing_since: since });
    }
    default: {
      if (!record || !isFinished(record.job))
        throw new Error(`Cannot tell of job "${event.jobId}": it isn't over`);
      const fits = (job: Shown) => Buffer.byteLength(body(job)) < mostPayloadBytes;
      return body(fitted(await shownJob(record, event.at, apiUrl), fits));
    }
  }
}

async function shownJob(record: JobRecord, at: number, apiUrl: string): Promise<Shown> {
  const { links, images, ...job } = await wireJob(record, unsigned, at);
  return {
    ...job,
    images: images.map((image) => {
      const self = `${apiUrl}${image.links.self}`;
      return { ...image, url: self, url_expires_at: null, links: { self } };
    }),
    links: {
      self: `${apiUrl}${links.self}`,
      cancel: `${apiUrl}${links.cancel}`,
      attempts: `${apiUrl}${links.attempts}`,
      turns: `${apiUrl}${links.turns}`,
    },
    truncated: [],
  };
}

/** Nothing is signed here: who delivers has no right to the images. */
const unsigned: SignedUrls = { sign: async () => ({ url: "", expiresAt: 0 }) };

const keptText = 1_000;

/** What is cut, in this order, until the rest fits: what is longest, and least missed, first. */
const cuts: readonly { readonly field: string; readonly cut: (job: Shown) => Partial<Shown> }[] = [
  {
    field: "grounding.search_widgets",
    cut: ({ grounding }) => ({ grounding: grounding && { ...grounding, search_widgets: [] } }),
  },
  { field: "text", cut: ({ text }) => ({ text: text === null ? null : shortened(text) }) },
  { field: "grounding", cut: () => ({ grounding: null }) },
  { field: "prompt", cut: ({ prompt }) => ({ prompt: shortened(prompt) }) },
  { field: "reference_images", cut: () => ({ reference_images: [] }) },
  { field: "warnings", cut: ({ warnings }) => ({ warnings: warnings.slice(0, 10).map(shortened) }) },
  { field: "error.message", cut: ({ error }) => ({ error: error && withoutLongWords(error) }) },
  { field: "metadata", cut: () => ({ metadata: {} }) },
  { field: "last_error", cut: () => ({ last_error: null }) },
  { field: "webhook", cut: () => ({ webhook: null }) },
];

function fitted(job: Shown, fits: (job: Shown) => boolean): Shown {
  let shown = job;
  for (const { field, cut } of cuts) {
    if (fits(shown)) return shown;
    const less = { ...shown, ...cut(shown) };
    if (JSON.stringify(less) !== JSON.stringify(shown))
      shown = { ...less, truncated: [...shown.truncated, field] };
  }
  return shown;
}

function withoutLongWords(error: NonNullable<Shown["error"]>): NonNullable<Shown["error"]> {
  const { message, upstream } = error;
  return { ...error, message: shortened(message), upstream: upstream && { ...upstream, message: null } };
}

/** By whole characters, so that what is cut is a text still. */
function shortened(text: string): string {
  const letters = Array.from(text);
  return letters.length <= keptText ? text : `${letters.slice(0, keptText).join("")}…`;
}
