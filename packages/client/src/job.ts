/*
 * The job as docs/api.md documents it under "The job". Times are RFC 3339 in UTC, money is a decimal string of US dollars.
 * Where the service may learn new words (errors, levels, media types), the type is text.
 */

export type Job = {
  /** `job_` and 26 characters, sorting by time of creation. */
  readonly id: string;
  readonly object: "job";
  /** The last three are final. */
  readonly status: "queued" | "running" | "succeeded" | "failed" | "canceled";
  /** Id of the model that serves it. */
  readonly model: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly deadline_at: string;
  readonly attempts: number;
  /** Why a job that is due isn't worked on; null once it is over. */
  readonly held_by: HeldBy | null;
  /** The model as it was named. */
  readonly requested_model: string;
  readonly prompt: string;
  readonly aspect_ratio: string | null;
  readonly image_size: string | null;
  /** Images wanted. */
  readonly count: number;
  /** `image` or `image_and_text`. */
  readonly output: string;
  readonly thinking: string | null;
  readonly grounding_requested: { readonly web: boolean; readonly images: boolean };
  readonly safety: Readonly<Record<string, string>>;
  readonly seed: number | null;
  readonly continue_from: { readonly job_id: string; readonly index: number } | null;
  readonly reference_images: readonly ReferenceImage[];
  /** Of a succeeded job, else empty. */
  readonly images: readonly Image[];
  /** What the model said beside its images. */
  readonly text: string | null;
  readonly grounding: Grounding | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** The URL that came with the job, if one did, and what it hears of. */
  readonly webhook: { readonly url: string; readonly events: readonly string[] } | null;
  /** Over all attempts. */
  readonly usage: Usage;
  readonly cost: Cost;
  /** Of a failed job. */
  readonly error: JobError | null;
  /** Of an unfinished job whose latest attempt failed. */
  readonly last_error: LastError | null;
  readonly warnings: readonly string[];
  readonly links: Links;
};

export type HeldBy = {
  readonly reason: string;
  readonly message: string;
  readonly since: string;
  readonly until: string | null;
};

export type ReferenceImage = {
  /** Where it came as a URL. What that led to is told below once the job succeeded, and is `null` until then. */
  readonly url: string | null;
  readonly media_type: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  /** Where it came from a job. */
  readonly job_id: string | null;
  readonly index: number | null;
};

export type Image = {
  readonly index: number;
  /** In an event the same as `links.self`; in an answer of the API a signed URL, which needs no key and expires. */
  readonly url: string;
  readonly url_expires_at: string | null;
  readonly media_type: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly sha256: string;
  /** `self` needs an API key, never expires and redirects to the picture. */
  readonly links: { readonly self: string };
};

export type Grounding = {
  readonly web_queries: readonly string[];
  readonly image_queries: readonly string[];
  readonly pages: readonly GroundingPage[];
  readonly pictures: readonly GroundingPicture[];
  /** Google's HTML, to be shown unchanged. */
  readonly search_widgets: readonly string[];
};

export type GroundingPage = {
  readonly url: string;
  readonly title: string | null;
  readonly domain: string | null;
};

export type GroundingPicture = {
  /** What has to be linked. */
  readonly page_url: string;
  readonly url: string | null;
  readonly title: string | null;
  readonly domain: string | null;
};

export type Usage = {
  readonly input_tokens: { readonly text: number; readonly image: number };
  readonly output_tokens: { readonly text: number; readonly image: number; readonly thinking: number };
};

export type Cost = {
  /** Null where a price that counts isn't published. */
  readonly usd: string | null;
  readonly estimated_usd: string | null;
  /** Whether the job is over and every bill is known. */
  readonly final: boolean;
  readonly unknown_attempts: number;
  readonly pricing_version: string;
};

export type JobError = {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** As a new job. */
  readonly retryable: boolean;
  /** Null where nobody knows. */
  readonly billed: boolean | null;
  readonly upstream: Upstream | null;
};

export type Upstream = {
  readonly status: number | null;
  readonly finish_reason: string | null;
  readonly message: string | null;
};

export type LastError = { readonly code: string; readonly message: string; readonly retry_at: string | null };

export type Links = {
  readonly self: string;
  readonly cancel: string;
  readonly attempts: string;
  readonly turns: string;
};
