import type { PoolName } from "../capacity/held.ts";
import type { JobId } from "../id.ts";
import type { MediaType } from "../image/inspect.ts";
import type { AspectRatio, ImageSize, Thinking } from "../model/model.ts";
import type { Usage } from "../model/pricing.ts";
import type { Announcement } from "../webhook/delivery.ts";
import type { Attempt, Call } from "./attempt.ts";
import type { Failure, Upstream } from "./failure.ts";
import type { FinishedJob, Job, JobStatus, QueuedJob } from "./job.ts";
import type { GroundingRecord, Result } from "./outcome.ts";
import type { Grounding, JobRequest, Safety, WorkedOut } from "./request.ts";
import type { Tombstone } from "./tombstone.ts";

/** All that is known of a job, read in one go. */
export type JobRecord = {
  readonly job: Job;
  readonly request: JobRequest;
  readonly result: Result | null;
  /** By fence, ascending. */
  readonly attempts: readonly Attempt[];
};

/** A caller's name for a submission: one key, one job, while it lives. */
export type Idempotency = {
  readonly key: string;
  readonly fingerprint: string;
  readonly expiresAt: number;
  /** The model of requests that name none, as of then: the fingerprint counts it as if it had been sent. */
  readonly defaultModel: string;
  readonly workedOut: WorkedOut;
};

/** What was created under an idempotency key, as it was then: its answer outlives the job itself. */
export type KeyedJob = Omit<Idempotency, "key" | "expiresAt"> & { readonly job: QueuedJob };

export type Created = { readonly created: true } | { readonly created: false; readonly holder: KeyedJob };

/** What a transition writes beside the job itself, in the same transaction. */
export type Records = {
  readonly attempt?: Attempt;
  readonly result?: Result;
  readonly announcement?: Announcement;
};

export type Written = { readonly written: true } | { readonly written: false; readonly current: Job | null };

export type JobPage = { readonly jobs: readonly Job[]; readonly next: string | null };

export type DueJob = { readonly id: JobId; readonly dueAt: number };

/** The truth about jobs. Reads are consistent, except `list`, `due` and `held`. */
export interface Jobs {
  /** Writes job, request and idempotency key together, or tells what holds the key already. */
  create(job: QueuedJob, request: JobRequest, idempotency: Idempotency | null, at: number): Promise<Created>;
  load(id: JobId): Promise<Job | null>;
  read(id: JobId): Promise<JobRecord | null>;
  /** What a live idempotency key holds. */
  findByKey(tenant: string, key: string, at: number): Promise<KeyedJob | null>;
  /**
   * Writes `to` if the store still holds `from`; else answers what it holds. A write that had taken effect before its
   * answer was lost is told as written. Throws on throttling and anything else unexpected: repeat while it makes sense.
   */
  write(from: Job, to: Job, records?: Records): Promise<Written>;
  /**
   * Tells what is known of what the calls of an attempt cost, beside what is known already (`mergeCalls`). The attempt's line
   * may be written before or after.
   */
  settle(id: JobId, fence: number, calls: readonly Call[]): Promise<void>;
  /** Newest first. `cursor` is the `next` of an earlier page. */
  list(query: {
    tenant: string;
    status: JobStatus | null;
    cursor: string | null;
    limit: number;
  }): Promise<JobPage>;
  /** Jobs of one shard that are due at `at`, deleted ones too, earliest first. */
  due(shard: number, at: number, limit: number): Promise<readonly DueJob[]>;
  /** Jobs of a tenant that a pool holds, oldest first. */
  held(by: PoolName, tenant: string, limit: number): Promise<readonly JobId[]>;
  /** Puts a tombstone in the place of a job, which then isn't there any more; `false` where the job has changed. */
  bury(job: FinishedJob, tombstone: Tombstone): Promise<boolean>;
  loadTombstone(id: JobId): Promise<Tombstone | null>;
  /** Writes or (`null`) removes it; `false` where it has changed. */
  writeTombstone(from: Tombstone, to: Tombstone | null): Promise<boolean>;
  /** Removes the request, result and attempts of a buried job. */
  eraseRecords(id: JobId): Promise<void>;
}

/** How many shards the due index has; a job's shard follows from its id. */
export const dueShards = 16;

/** Names a job to whichever worker is free. A hint: the truth is in `Jobs`, and a lost message is sent again. */
export interface JobQueue {
  send(job: { id: JobId; tenant: string }, delayMs: number): Promise<void>;
}

/** The message that brought a job to this worker. */
export interface Delivered {
  /** Hides the message from other workers for this long, from now. */
  extend(ms: number): Promise<void>;
  /** Removes the message for good. */
  ack(): Promise<void>;
}

/** Bytes in the pieces they arrived in: a 24 MB picture is never copied together. */
export type Bytes = readonly Uint8Array[];

/** Objects that are written once. */
export interface Objects {
  /**
   * Stores unless the key exists; finding the same bytes there (by hash) is success, other bytes are an error.
   * @param about `sha256` in hex
   */
  put(key: string, bytes: Bytes, about: { mediaType: string; sha256: string }): Promise<void>;
  get(key: string): Promise<Uint8Array | null>;
  /** Bytes of an object, without reading it; `null`: there is none. */
  size(key: string): Promise<number | null>;
  list(prefix: string): Promise<readonly string[]>;
  /** Removes them all; one that isn't there is no error. */
  remove(keys: readonly string[]): Promise<void>;
}

/** What a URL led to. `code` of a failure is a closed list of the downloader's, which `fetch-inputs.ts` reads. */
export type Download =
  | { readonly type: "downloaded"; readonly bytes: Bytes; readonly size: number }
  /** Any status but 200: redirects are not followed. */
  | { readonly type: "refused"; readonly status: number }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

/**
 * Gets files from addresses of the Internet, and from nowhere else. Whatever the server or the network does is an answer;
 * only an abort by `signal` rejects.
 */
export interface Downloader {
  download(file: {
    readonly url: string;
    readonly maxBytes: number;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): Promise<Download>;
}

/** Addresses at which anybody may fetch an object for a while. */
export interface SignedUrls {
  /** Signed as of `at` floored to five minutes, valid for fifteen: the same URL for a while, never a stale one. */
  sign(key: string, at: number, fileName: string): Promise<{ url: string; expiresAt: number }>;
}

/** A picture on its way to the provider. */
export type ImageInput = { readonly mediaType: MediaType; readonly bytes: Uint8Array };

/** An earlier turn, as it was asked and as it was answered. */
export type HistoryTurn = {
  readonly prompt: string;
  readonly images: readonly ImageInput[];
  readonly reply: readonly ReplyPart[];
};

/** A part of the model's answer; its signature goes back verbatim on the same part. */
export type ReplyPart =
  | { readonly type: "text"; readonly text: string; readonly signature: string | null }
  | ({ readonly type: "image"; readonly signature: string | null } & ImageInput);

/** One picture asked of the provider. */
export type ModelCall = {
  readonly model: string;
  /** Name of the provider key to use. */
  readonly key: string;
  readonly history: readonly HistoryTurn[];
  readonly prompt: string;
  readonly images: readonly ImageInput[];
  readonly aspectRatio: AspectRatio | null;
  readonly imageSize: ImageSize | null;
  readonly output: "image" | "image_and_text";
  readonly thinking: Thinking | null;
  readonly grounding: Grounding;
  readonly safety: Safety;
  readonly seed: number | null;
};

/** A picture that the provider drew: its type and size as its own bytes tell them. */
export type GeneratedImage = {
  readonly bytes: Bytes;
  readonly mediaType: MediaType;
  readonly width: number;
  readonly height: number;
  readonly size: number;
  readonly sha256: string;
};

/** A part of the answer to a call, in the order they came. */
export type GeneratedPart =
  | { readonly type: "text"; readonly text: string; readonly signature: string | null }
  | { readonly type: "image"; readonly image: GeneratedImage; readonly signature: string | null };

export type Answer =
  | {
      readonly type: "image";
      /** The last picture of the answer; it is among `parts` too. */
      readonly image: GeneratedImage;
      readonly parts: readonly GeneratedPart[];
      readonly text: string | null;
      readonly grounding: GroundingRecord | null;
      readonly usage: Usage | null;
      readonly upstream: Upstream;
    }
  | { readonly type: "failure"; readonly failure: Failure; readonly usage: Usage | null };

/** The provider. Whatever goes wrong there is an answer of type `failure`; only an abort by `signal` rejects. */
export interface ImageModel {
  generate(call: ModelCall, signal: AbortSignal): Promise<Answer>;
}
