import { ModelOverride } from "@plantain/core/model/registry";
import * as z from "zod";

const milliseconds = z.coerce.number().int().positive();

/** What every function is told: where the truth, the queue and the objects are, and the protocol's numbers. */
const Common = z.object({
  STAGE: z.string().min(1),
  JOBS_TABLE: z.string().min(1),
  TENANTS_TABLE: z.string().min(1),
  JOBS_QUEUE_URL: z.url(),
  /** Webhook deliveries: those to endpoints that answer in time, and those that need more of it. */
  DELIVERIES_QUEUE_URL: z.url(),
  SLOW_DELIVERIES_QUEUE_URL: z.url(),
  BUCKET: z.string().min(1),
  LEASE_MS: milliseconds,
  BEAT_MS: milliseconds,
  BEAT_VISIBILITY_MS: milliseconds,
  CALL_MS: milliseconds,
  CALL_MARGIN_MS: milliseconds,
  ARRIVAL_MS: milliseconds,
});

/** Set on one machine alone: lets URLs that users choose, of webhooks and of images, name that machine. */
const LocalWebhooks = z.object({ ALLOW_LOOPBACK_WEBHOOKS: z.literal("true").optional() });

/** No bucket and no provider key: who talks to strangers has nothing to give away. */
export const DeliverEnv = Common.pick({
  STAGE: true,
  JOBS_TABLE: true,
  TENANTS_TABLE: true,
  DELIVERIES_QUEUE_URL: true,
  SLOW_DELIVERIES_QUEUE_URL: true,
  ARRIVAL_MS: true,
})
  .extend(LocalWebhooks.shape)
  .extend({
    /** Where the API is: what payloads link to. */
    API_URL: z.url(),
  });

/** The models that a stage knows, the same for every function that asks. */
const Models = z.object({
  /** Whether the old id of a model that was shut down is served by its successor, or refused. */
  RETIRED_MODELS: z.enum(["serve", "refuse"]),
  /** JSON list of additions and changes to the built-in registry. */
  MODEL_OVERRIDES: z.string().transform(parseJson).pipe(z.array(ModelOverride)),
});

function parseJson(text: string, ctx: z.RefinementCtx<string>): unknown {
  try {
    return JSON.parse(text);
  } catch {
    ctx.addIssue("Not JSON");
    return z.NEVER;
  }
}

export type CommonEnv = z.infer<typeof Common>;

/** How much may be in flight, for those who give out places. */
const Capacity = z.object({
  /** Jobs of one tenant in work at once. */
  JOBS_PER_TENANT: z.coerce.number().int().positive(),
  /** Calls to one model under one Gemini key in flight at most. */
  CALLS_PER_MODEL: z.coerce.number().int().positive(),
  /** A model that refuses everybody is asked again at least this often. */
  LONGEST_CLOSURE_MS: milliseconds,
  /** Names of the SSM SecureStrings that hold the Gemini API keys, separated by commas. */
  GEMINI_API_KEY_PARAMETERS: z
    .string()
    .transform((names) => names.split(","))
    .pipe(z.array(z.string().min(1))),
});

export const ApiEnv = Common.extend(Models.shape)
  .extend(Capacity.shape)
  .extend(LocalWebhooks.shape)
  .extend({
    /** The model of a job that names none: an id or alias of the registry. */
    DEFAULT_MODEL: z.string().min(1),
  });

export const WorkerEnv = Common.extend(Models.shape)
  .extend(Capacity.shape)
  .extend(LocalWebhooks.shape)
  .extend({
    /** Megabytes, set by Lambda itself. */
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: z.coerce.number().int().positive(),
    /** Where Gemini is; unset means Google. The local runtime points it at the simulator. */
    GOOGLE_GEMINI_BASE_URL: z.url().optional(),
  });

export const SweepEnv = Common.extend(Capacity.shape);
