import type {
  Cost,
  Grounding,
  GroundingPage,
  GroundingPicture,
  HeldBy,
  Image,
  Job,
  JobError,
  LastError,
  Links,
  ReferenceImage,
  Upstream,
  Usage,
} from "./job.ts";
import { type Check, listOf, number, objectOf, oneOf, orNull, recordOf, text, truth } from "./shape.ts";

const heldBy = objectOf<HeldBy>({ reason: text, message: text, since: text, until: orNull(text) });

const referenceImage = objectOf<ReferenceImage>({
  url: orNull(text),
  media_type: orNull(text),
  width: orNull(number),
  height: orNull(number),
  bytes: orNull(number),
  sha256: orNull(text),
  job_id: orNull(text),
  index: orNull(number),
});

const image = objectOf<Image>({
  index: number,
  url: text,
  url_expires_at: orNull(text),
  media_type: text,
  width: number,
  height: number,
  bytes: number,
  sha256: text,
  links: objectOf<Image["links"]>({ self: text }),
});

const found = { title: orNull(text), domain: orNull(text) };

const grounding = objectOf<Grounding>({
  web_queries: listOf(text),
  image_queries: listOf(text),
  pages: listOf(objectOf<GroundingPage>({ ...found, url: text })),
  pictures: listOf(objectOf<GroundingPicture>({ ...found, page_url: text, url: orNull(text) })),
  search_widgets: listOf(text),
});

const usage = objectOf<Usage>({
  input_tokens: objectOf<Usage["input_tokens"]>({ text: number, image: number }),
  output_tokens: objectOf<Usage["output_tokens"]>({ text: number, image: number, thinking: number }),
});

const cost = objectOf<Cost>({
  usd: orNull(text),
  estimated_usd: orNull(text),
  final: truth,
  unknown_attempts: number,
  pricing_version: text,
});

const upstream = objectOf<Upstream>({
  status: orNull(number),
  finish_reason: orNull(text),
  message: orNull(text),
});

export const jobError: Check<JobError> = objectOf<JobError>({
  code: text,
  message: text,
  hint: text,
  retryable: truth,
  billed: orNull(truth),
  upstream: orNull(upstream),
});

/** Whether a value is a job as the API shows it; a field too many is none of our business. */
export const job: Check<Job> = objectOf<Job>({
  id: text,
  object: oneOf("job"),
  status: oneOf("queued", "running", "succeeded", "failed", "canceled"),
  model: text,
  created_at: text,
  started_at: orNull(text),
  finished_at: orNull(text),
  deadline_at: text,
  attempts: number,
  held_by: orNull(heldBy),
  requested_model: text,
  prompt: text,
  aspect_ratio: orNull(text),
  image_size: orNull(text),
  count: number,
  output: text,
  thinking: orNull(text),
  grounding_requested: objectOf<Job["grounding_requested"]>({ web: truth, images: truth }),
  safety: recordOf(text),
  seed: orNull(number),
  continue_from: orNull(objectOf<NonNullable<Job["continue_from"]>>({ job_id: text, index: number })),
  reference_images: listOf(referenceImage),
  images: listOf(image),
  text: orNull(text),
  grounding: orNull(grounding),
  metadata: recordOf(text),
  webhook: orNull(objectOf<NonNullable<Job["webhook"]>>({ url: text, events: listOf(text) })),
  usage,
  cost,
  error: orNull(jobError),
  last_error: orNull(objectOf<LastError>({ code: text, message: text, retry_at: orNull(text) })),
  warnings: listOf(text),
  links: objectOf<Links>({ self: text, cancel: text, attempts: text, turns: text }),
});
