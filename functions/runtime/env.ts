import * as z from "zod";

const milliseconds = z.coerce.number().int().positive();

/** What every function is told: where the truth, the queue and the objects are, and the protocol's numbers. */
const Common = z.object({
  STAGE: z.string().min(1),
  JOBS_TABLE: z.string().min(1),
  TENANTS_TABLE: z.string().min(1),
  JOBS_QUEUE_URL: z.url(),
  BUCKET: z.string().min(1),
  LEASE_MS: milliseconds,
  BEAT_MS: milliseconds,
  BEAT_VISIBILITY_MS: milliseconds,
  CALL_MS: milliseconds,
  CALL_MARGIN_MS: milliseconds,
  ARRIVAL_MS: milliseconds,
});

export type CommonEnv = z.infer<typeof Common>;

export const ApiEnv = Common.extend({
  /** The model of a job that names none: an id or alias of the registry. */
  DEFAULT_MODEL: z.string().min(1),
});

export const WorkerEnv = Common.extend({
  /** Name of the SSM SecureString that holds the Gemini API key. */
  GEMINI_API_KEY_PARAMETER: z.string().min(1),
  /** Where Gemini is; unset means Google. The local runtime points it at the simulator. */
  GOOGLE_GEMINI_BASE_URL: z.url().optional(),
});

export const SweepEnv = Common;
